import Testing

@testable import PromiseServer

@Suite("Routes")
struct RouteTests {
    @Test(
        "a request line says what is asked for",
        arguments: [
            ("POST", "/", Route.envelope),
            ("POST", "/?x=1", .envelope),
            ("GET", "/", .wrongMethod(allowed: "POST")),
            ("GET", "/poll/workers/pid1", .poll(group: "workers", id: "pid1")),
            ("GET", "/poll/a%2Fb/p%C3%A9", .poll(group: "a/b", id: "pé")),
            ("GET", "/poll/a%2/b", .unknown),
            ("GET", "/poll/%FF/b", .unknown),
            ("GET", "/poll/workers/", .unknown),
            ("GET", "/poll/workers", .unknown),
            ("GET", "/poll/a/b/c", .unknown),
            ("POST", "/poll/workers/pid1", .wrongMethod(allowed: "GET")),
            ("HEAD", "/ready", .ready),
            ("GET", "/health", .health),
            ("GET", "/metrics?x", .metrics),
            ("PUT", "/metrics", .wrongMethod(allowed: "GET, HEAD")),
            ("GET", "/promises", .gone),
            ("PATCH", "/promises/foo", .gone),
            ("POST", "/tasks/claim", .gone),
            ("POST", "/schedules", .gone),
            ("GET", "/promisesque", .unknown),
            ("GET", "*", .unknown),
        ]
    )
    func route(_ method: String, _ uri: String, _ expected: Route) {
        #expect(Route(method: method, uri: uri) == expected)
    }
}
