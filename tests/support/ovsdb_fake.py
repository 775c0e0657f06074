#!/usr/bin/env python3
"""An OVSDB server that does what a test wants: prints its port, serves until
its input ends.

    ovsdb_fake.py fake SCRIPT       answers by the script
    ovsdb_fake.py proxy PATH METHOD...
        in front of a real server's socket; does not know the methods

SCRIPT is JSON: "answers" maps a method to {"result": ...}, {"error": ...} or
null (no answer); "then" is what is sent after the content; "each" replaces
answers for the n-th connection, the last one for all that follow.
"""
import json
import os
import socket
import sys
import threading

SCHEMA = {"name": "D", "version": "1.0.0", "tables": {"T": {
    "isRoot": True,
    "columns": {"name": {"type": "string"},
                "tag": {"type": {"key": "integer", "min": 0, "max": 1}},
                "ports": {"type": {"key": "uuid", "min": 0,
                                   "max": "unlimited"}}}}}}
ROW = "aaaaaaaa-0000-0000-0000-000000000000"
ZERO = "00000000-0000-0000-0000-000000000000"
DATABASE = {"name": "D", "model": "standalone", "connected": True,
            "leader": True}


def standard(method, params):
    if method == "get_schema":
        return {"result": SCHEMA}
    if method == "transact":
        return {"result": [{} for _ in params[1:]]}
    if method == "set_db_change_aware":
        return {"result": {}}
    if method == "echo":
        return {"result": params}
    if method == "monitor_cond" and params[0] == "_Server":
        return {"result": {"Database": {ROW: {"initial": DATABASE}}}}
    if method == "monitor_cond_since":
        return {"result": [False, ZERO, {"T": {ROW: {"initial": {
            "name": "a"}}}}]}
    return {"error": "unknown method"}


def messages(sock):
    """Those that come, one after the other."""
    decoder, text = json.JSONDecoder(), ""
    while True:
        data = sock.recv(65536)
        if not data:
            return
        text += data.decode()
        while text.strip():
            try:
                message, end = decoder.raw_decode(text)
            except ValueError:
                break
            text = text[end:].lstrip()
            yield message


def send(sock, message):
    sock.sendall(json.dumps(message).encode())


def fake(sock, script, nth):
    answers = dict(script.get("answers", {}))
    each = script.get("each", [])
    if each:
        answers.update(each[min(nth, len(each) - 1)])
    for message in messages(sock):
        method, params = message.get("method"), message.get("params", [])
        if method is None:
            continue
        server = method == "monitor_cond" and params[0] == "_Server"
        name = "server" if server else method
        answer = answers[name] if name in answers else standard(method, params)
        if answer is None:
            continue
        reply = {"id": message["id"], "result": None, "error": None}
        reply.update(answer)
        send(sock, reply)
        if name == "monitor_cond_since" or (
                name in ("monitor_cond", "monitor") and "result" in answer):
            for then in script.get("then", []):
                text = json.dumps(then).replace("@", params[1])
                sock.sendall(text.encode())


def proxy(sock, path, unknown):
    server = socket.socket(socket.AF_UNIX)
    server.connect(path)

    def back():
        while True:
            data = server.recv(65536)
            if not data:
                break
            sock.sendall(data)
        sock.shutdown(socket.SHUT_RDWR)

    threading.Thread(target=back, daemon=True).start()
    for message in messages(sock):
        # Of _Server, only a newer one is asked.
        if message.get("method") in unknown and \
                message["params"][0] != "_Server":
            send(sock, {"id": message["id"], "result": None,
                        "error": "unknown method"})
        else:
            send(server, message)
    server.close()


def serve(sock, nth):
    try:
        if sys.argv[1] == "fake":
            fake(sock, json.loads(sys.argv[2]), nth)
        else:
            proxy(sock, sys.argv[2], sys.argv[3:])
    except OSError:
        pass
    sock.close()


def accept(listener):
    nth = 0
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=serve, args=(sock, nth), daemon=True).start()
        nth += 1


listener = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=accept, args=(listener,), daemon=True).start()
print(listener.getsockname()[1], flush=True)
sys.stdin.read()
os._exit(0)
