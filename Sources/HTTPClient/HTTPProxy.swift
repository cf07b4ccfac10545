/// Through whom a client reaches servers.
public enum HTTPProxy: Sendable, Hashable {
    /// Nobody, whatever the environment says.
    case none
    /// What `HTTPS_PROXY`, `http_proxy`, `ALL_PROXY` and `NO_PROXY` say, as libcurl reads them
    /// (<https://curl.se/libcurl/c/libcurl-env.html>). Servers on this machine's loopback are reached without, as by Go's
    /// clients.
    case environment
    /// This one, whatever the environment says: `http`, `https` or `socks5`, with a user and a password if need be.
    case url(String)

    /// What libcurl's `CURLOPT_PROXY` and `CURLOPT_NOPROXY` become for a server; nil leaves the option as it is.
    func options(for host: String) -> (proxy: String?, exceptions: String?) {
        switch self {
        case .none:
            return ("", nil)
        case .environment:
            return (Self.isLoopback(host) ? "" : nil, nil)
        case .url(let url):
            // As Go does, and unlike libcurl, it is the proxy that looks names up.
            return (url.hasPrefix("socks5://") ? "socks5h" + url.dropFirst(6) : url, "")
        }
    }

    private static func isLoopback(_ host: String) -> Bool {
        let host = host.lowercased()
        return host == "localhost" || host == "::1" || host == "[::1]"
            || (host.hasPrefix("127.") && host.allSatisfy { $0.isNumber || $0 == "." })
    }
}
