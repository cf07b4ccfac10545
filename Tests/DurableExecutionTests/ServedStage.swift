import DurablePromises
import PromiseServer
import RemotePromises
import TestSupport

extension Stage {
    /// Runs `body` with a client of a promise server that serves the stage's store.
    ///
    /// - Parameter port: 0 lets the operating system choose.
    func served<Value: Sendable>(
        port: Int = 0,
        _ body: (_ client: HTTPPromiseClient, _ port: Int) async throws -> Value
    ) async throws -> Value {
        let server = PromiseServer(
            store,
            settings: ServerSettings(listen: ListenAddress(host: "127.0.0.1", port: port)),
            logger: logger,
            isReady: { true }
        )
        let (addresses, listening) = AsyncStream.makeStream(of: ListenAddress.self)
        let running = Task {
            try await server.run { address, _ in listening.yield(address) }
        }
        func stop() async {
            running.cancel()
            _ = await running.result
        }
        var found: ListenAddress?
        for await address in addresses {
            found = address
            break
        }
        do {
            guard let found else { throw TestFailure("the server does not listen") }
            let client = HTTPPromiseClient(url: "http://127.0.0.1:\(found.port)", logger: logger)
            let value = try await body(client, found.port)
            await stop()
            return value
        } catch {
            await stop()
            throw error
        }
    }
}
