#!/usr/bin/env bash
# git_server.sh ssh|https DIR [STOP] - a Git server on a free port of loopback.
#
# Serves DIR/srv.git, which it makes. Prints the port; DIR/ssh.pid, DIR/https.pid
# stop it ('git_server.sh ssh DIR stop'). What a client needs is in DIR:
#   ssh:   id (private key), other (a key that is not accepted), known_hosts
#   https: ca.pem, other-ca.pem, token ("sesame" is the token of user "tenet")
# https also has /moved/ and /here/, which redirect to another host and to /git/.
set -euo pipefail
kind=$1 dir=$2

if [ "${3:-}" = stop ]; then
    if [ -s "$dir/$kind.pid" ]; then
        pid=$(cat "$dir/$kind.pid")
        kill "$pid" 2>/dev/null || true
        for _ in $(seq 50); do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.02
        done
        rm -f "$dir/$kind.pid"
    fi
    exit 0
fi

mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
[ -d "$dir/srv.git" ] || git init -q --bare -b main "$dir/srv.git"

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}

ssh_server() { # PORT
    local user
    user=$(id -un)
    # sshd of root wants this directory, and nothing in it.
    [ "$(id -u)" -ne 0 ] || mkdir -p /run/sshd
    for key in host id other; do
        [ -s "$dir/$key" ] ||
            ssh-keygen -q -t ed25519 -N '' -C "$key" -f "$dir/$key"
    done
    [ -s "$dir/host_ecdsa" ] ||
        ssh-keygen -q -t ecdsa -N '' -C host -f "$dir/host_ecdsa"
    cp "$dir/id.pub" "$dir/authorized"
    # Two host keys, of which the client knows one, and not the first offered.
    echo "[127.0.0.1]:$1 $(cut -d' ' -f1,2 "$dir/host.pub")" >"$dir/known_hosts"
    cat >"$dir/sshd_config" <<-END
	Port $1
	ListenAddress 127.0.0.1
	HostKey $dir/host_ecdsa
	HostKey $dir/host
	PidFile $dir/ssh.pid
	AuthorizedKeysFile $dir/authorized
	AuthenticationMethods publickey
	AllowUsers $user
	PermitRootLogin yes
	StrictModes no
	UsePAM no
	MaxStartups 100
	SetEnv GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null
	LogLevel VERBOSE
	END
    "$(command -v sshd || echo /usr/sbin/sshd)" -f "$dir/sshd_config" \
        -E "$dir/sshd.log"
}

certificates() {
    local name
    for name in ca other-ca; do
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
            -days 30 -subj "/CN=test $name" -keyout "$dir/$name.key" \
            -out "$dir/$name.pem" 2>/dev/null
    done
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -subj /CN=localhost -keyout "$dir/server.key" -out "$dir/server.csr" \
        2>/dev/null
    openssl x509 -req -in "$dir/server.csr" -CA "$dir/ca.pem" \
        -CAkey "$dir/ca.key" -CAcreateserial -days 30 -out "$dir/server.crt" \
        -extfile <(echo 'subjectAltName=DNS:localhost') 2>/dev/null
    cat "$dir/server.key" "$dir/server.crt" >"$dir/server.pem"
}

https_server() { # PORT
    [ -s "$dir/server.pem" ] || certificates
    echo sesame >"$dir/token"
    chmod 600 "$dir/token"
    echo 'tenet:sesame' >"$dir/users"
    cat >"$dir/lighttpd.conf" <<-END
	server.modules = ("mod_openssl", "mod_alias", "mod_auth",
	    "mod_authn_file", "mod_setenv", "mod_redirect", "mod_cgi")
	server.document-root = "$dir/empty"
	server.bind = "127.0.0.1"
	server.port = $1
	server.pid-file = "$dir/https.pid"
	server.errorlog = "$dir/lighttpd.log"
	server.max-connections = 200
	ssl.engine = "enable"
	ssl.pemfile = "$dir/server.pem"
	url.redirect = ("^/moved/(.*)" => "https://elsewhere.invalid/git/\$1",
	    "^/here/(.*)" => "/git/\$1")
	\$HTTP["url"] =~ "^/git/" {
	    alias.url = ("/git" => "$(git --exec-path)/git-http-backend")
	    cgi.assign = ("" => "")
	    setenv.add-environment = ("GIT_PROJECT_ROOT" => "$dir",
	        "GIT_HTTP_EXPORT_ALL" => "1", "GIT_CONFIG_NOSYSTEM" => "1",
	        "GIT_CONFIG_GLOBAL" => "/dev/null", "HOME" => "$dir")
	    auth.backend = "plain"
	    auth.backend.plain.userfile = "$dir/users"
	    auth.require = ("" => ("method" => "basic", "realm" => "git",
	        "require" => "valid-user"))
	}
	END
    mkdir -p "$dir/empty"
    "$(command -v lighttpd || echo /usr/sbin/lighttpd)" -f "$dir/lighttpd.conf"
}

# Another program may take the port between asking and binding.
for _ in 1 2 3 4 5; do
    port=$(free_port)
    case $kind in
    ssh) ssh_server "$port" >&2 || continue ;;
    https) https_server "$port" >&2 || continue ;;
    *) echo "git_server.sh: no server for $kind" >&2 && exit 1 ;;
    esac
    for _ in $(seq 100); do
        if [ -s "$dir/$kind.pid" ] &&
            (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "$port"
            exit 0
        fi
        sleep 0.05
    done
done
echo "git_server.sh: no $kind server" >&2
exit 1
