import Testing

@testable import HTTPClient

@Suite("Proxies")
struct HTTPProxyTests {
    @Test(
        "the environment is asked for servers elsewhere, and only where nothing else was said",
        arguments: [
            (HTTPProxy.none, "example.com", "", nil), (.environment, "example.com", nil, nil),
            (.environment, "10.0.0.1", nil, nil), (.environment, "127.0.0.1", "", nil),
            (.environment, "127.1.2.3", "", nil),
            (.environment, "127.example.com", nil, nil), (.environment, "LocalHost", "", nil),
            (.environment, "[::1]", "", nil),
            (.environment, "::1", "", nil), (.url("http://p:1"), "127.0.0.1", "http://p:1", ""),
            (.url("socks5://me:secret@p:1"), "example.com", "socks5h://me:secret@p:1", ""),
        ] as [(HTTPProxy, String, String?, String?)])
    func options(proxy: HTTPProxy, host: String, url: String?, exceptions: String?) {
        #expect(proxy.options(for: host) == (url, exceptions))
    }
}
