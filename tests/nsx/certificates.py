"""Certificates for the simulator: a CA, a server's, a principal identity's.

Made with the openssl command, which every system here has, into a directory;
what is there already is kept, so that a restart serves the same ones.
"""
import os
import subprocess

SERVER = """[v3]
subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1
basicConstraints=CA:FALSE
extendedKeyUsage=serverAuth
"""
CLIENT = """[v3]
basicConstraints=CA:FALSE
extendedKeyUsage=clientAuth
"""


def run(*words, stdin=None):
    subprocess.run(("openssl",) + words, check=True, input=stdin,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def authority(folder, name, common_name):
    key, cert = (os.path.join(folder, name + end) for end in
                 (".key", ".pem"))
    if not os.path.exists(cert):
        run("req", "-x509", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3650",
            "-subj", "/CN=" + common_name, "-keyout", key, "-out", cert)
        os.chmod(key, 0o600)
    return key, cert


def issue(folder, name, common_name, extensions):
    """(key, certificate) of 'common_name', signed by the CA."""
    key, cert = (os.path.join(folder, name + end) for end in
                 (".key", ".pem"))
    if os.path.exists(cert):
        return key, cert
    request = os.path.join(folder, name + ".csr")
    config = os.path.join(folder, name + ".cnf")
    with open(config, "w", encoding="ascii") as out:
        out.write(extensions)
    run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
        "-nodes", "-subj", "/CN=" + common_name, "-keyout", key, "-out",
        request)
    run("x509", "-req", "-in", request, "-CA",
        os.path.join(folder, "ca.pem"), "-CAkey",
        os.path.join(folder, "ca.key"), "-CAcreateserial", "-days", "3650",
        "-extfile", config, "-extensions", "v3", "-out", cert)
    os.chmod(key, 0o600)
    os.unlink(request)
    os.unlink(config)
    return key, cert


def make(folder, principal):
    """All files, as a dictionary of their paths."""
    os.makedirs(folder, exist_ok=True)
    _, ca = authority(folder, "ca", "NSX simulator CA")
    key, cert = issue(folder, "server", "localhost", SERVER)
    client_key, client = issue(folder, "client", principal, CLIENT)
    return {"ca": ca, "server_key": key, "server_cert": cert,
            "client_key": client_key, "client_cert": client}
