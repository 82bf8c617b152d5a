#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A real registry (Debian's docker-registry) on a free loopback port, for tests and benches.
#
# Sourced:
#   registry_start DIR [--tls] [--client-auth] [--user NAME PASSWORD]
#       Starts a registry that keeps its content in DIR/data. Sets
#         REGISTRY_ADDRESS   127.0.0.1:PORT (localhost:PORT with --tls, as in the certificate)
#         REGISTRY_PID       for registry_stop
#         REGISTRY_CA        the certificate authority's file (with --tls), else empty
#       It dies with the shell that started it, whatever happens to that.
#       With --client-auth (and --tls) it wants certificates of the same authority; the directory
#       DIR/client has one.
#   registry_stop            Stops it and waits.
#   registry_push LAYOUT:TAG NAME:TAG [skopeo options]
#       Copies an OCI layout's image into the running registry.
#   registry_make_certificate DIR
#       DIR/ca.pem, DIR/server.pem, DIR/server.key for localhost and 127.0.0.1, valid for a day.
#
# Run:
#   registry.sh serve DIR [options]
#       As registry_start; prints "ADDRESS CA" (CA "-" without --tls) and serves until its standard
#       input ends.
#
# What is missing is named on stderr, and the result is 77, which tests pass on as "skipped".

registry_need() {
    local program
    for program in "$@"; do
        command -v "$program" >/dev/null && continue
        echo "SKIP: $program is not installed" >&2
        return 77
    done
}

registry_make_certificate() {
    local dir=$1
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 \
        -subj "/CN=test authority" -keyout "$dir/ca.key" -out "$dir/ca.pem" 2>/dev/null
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=localhost" \
        -keyout "$dir/server.key" -out "$dir/server.csr" 2>/dev/null
    printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' >"$dir/server.ext"
    openssl x509 -req -in "$dir/server.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" \
        -CAcreateserial -days 1 -extfile "$dir/server.ext" -out "$dir/server.pem" 2>/dev/null
}

# A directory DIR/NAME with NAME.cert and NAME.key, of the authority in DIR.
registry_make_client_certificate() {
    local dir=$1 name=$2 to=$1/$2/$2
    mkdir -p "$dir/$name"
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$name" \
        -keyout "$to.key" -out "$dir/$name.csr" 2>/dev/null
    openssl x509 -req -in "$dir/$name.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -CAcreateserial -days 1 \
        -out "$to.cert" 2>/dev/null
}

registry_config() {
    local dir=$1
    cat <<CONFIG
version: 0.1
log: {level: info, accesslog: {disabled: true}}
storage:
  filesystem: {rootdirectory: $dir/data}
  delete: {enabled: true}
validation:
  manifests: {urls: {allow: ["^http://127[.]"]}}
http:
  addr: 127.0.0.1:0
CONFIG
    [ -z "$REGISTRY_CA" ] ||
        printf '  tls: {certificate: %s/server.pem, key: %s/server.key, clientcas: [%s]}\n' "$dir" "$dir" \
            "$REGISTRY_CLIENT_CA"
    [ -z "$REGISTRY_USER" ] ||
        printf 'auth:\n  htpasswd: {realm: test, path: %s/htpasswd}\n' "$dir"
}

registry_start() {
    local dir=$1 host=127.0.0.1 port i
    shift
    REGISTRY_CA= REGISTRY_CLIENT_CA= REGISTRY_USER= REGISTRY_PASSWORD=
    registry_need docker-registry setpriv || return
    mkdir -p "$dir/data"
    while [ $# -gt 0 ]; do
        case $1 in
        --tls)
            registry_need openssl || return
            registry_make_certificate "$dir" || return
            REGISTRY_CA=$dir/ca.pem host=localhost
            shift
            ;;
        --client-auth)
            registry_make_client_certificate "$dir" client || return
            REGISTRY_CLIENT_CA=$REGISTRY_CA
            shift
            ;;
        --user)
            registry_need htpasswd || return
            REGISTRY_USER=$2 REGISTRY_PASSWORD=$3
            htpasswd -Bbn "$2" "$3" >"$dir/htpasswd" 2>/dev/null
            shift 3
            ;;
        *)
            echo "registry_start: unknown option $1" >&2
            return 2
            ;;
        esac
    done
    registry_config "$dir" >"$dir/config.yml"
    : >"$dir/registry.log"
    # It takes REGISTRY_* for settings of its own.
    env -u REGISTRY_AUTH_FILE OTEL_TRACES_EXPORTER=none setpriv --pdeathsig KILL docker-registry serve "$dir/config.yml" \
        >"$dir/registry.log" 2>&1 </dev/null &
    REGISTRY_PID=$!
    for i in $(seq 200); do
        port=$(sed -n 's/.*listening on 127\.0\.0\.1:\([0-9]*\).*/\1/p' "$dir/registry.log")
        [ -n "$port" ] && break
        kill -0 "$REGISTRY_PID" 2>/dev/null || break
        sleep 0.05
    done
    if [ -z "$port" ]; then
        echo "registry_start: it did not start:" >&2
        cat "$dir/registry.log" >&2
        return 1
    fi
    REGISTRY_ADDRESS=$host:$port
}

registry_stop() {
    [ -n "${REGISTRY_PID:-}" ] || return 0
    kill "$REGISTRY_PID" 2>/dev/null
    wait "$REGISTRY_PID" 2>/dev/null
    REGISTRY_PID=
    return 0
}

registry_push() {
    local from=$1 to=$2
    shift 2
    registry_need skopeo || return
    local options=(--dest-tls-verify=false)
    [ -z "$REGISTRY_USER" ] || options+=(--dest-creds "$REGISTRY_USER:$REGISTRY_PASSWORD")
    skopeo copy -q --insecure-policy "${options[@]}" "$@" "oci:$from" \
        "docker://$REGISTRY_ADDRESS/$to"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    [ "${1:-}" = serve ] && [ $# -ge 2 ] || {
        echo "usage: registry.sh serve DIR [--tls] [--user NAME PASSWORD]" >&2
        exit 2
    }
    shift
    trap registry_stop EXIT
    registry_start "$@" || exit
    echo "$REGISTRY_ADDRESS ${REGISTRY_CA:--}"
    cat >/dev/null
fi
