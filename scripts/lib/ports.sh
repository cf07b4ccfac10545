# shellcheck shell=bash
# Free ports on loopback, below the range from which the kernel takes those of outgoing connections.

free_port() {
    local port
    for _ in {1..200}; do
        port=$((10000 + (RANDOM * 32768 + RANDOM) % 20000))
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            printf '%s\n' "$port"
            return
        fi
    done
    fail "found no free port on 127.0.0.1 between 10000 and 30000"
}
