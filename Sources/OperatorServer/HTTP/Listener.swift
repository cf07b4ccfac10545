internal import Hummingbird
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import ServiceLifecycle

/// One address at which something is served.
struct Listener: Sendable {
    typealias Routes = Router<BasicRequestContext>
    typealias Responder = RouterResponder<BasicRequestContext>

    /// Connections at the same time; more wait until one ends.
    private static let mostConnections = 256
    /// Go's clients let go of an idle connection after 90 s: theirs ends first, so that no request meets a closed one.
    private static let idleTimeout: TimeAmount = .seconds(120)

    private let address: OperatorServerSettings.Address
    private let responder: Responder
    private let tls: ServedCertificate?
    private let logger: Logger

    init(
        _ address: OperatorServerSettings.Address, _ responder: Responder, tls: ServedCertificate? = nil, logger: Logger
    ) {
        self.address = address
        self.responder = responder
        self.tls = tls
        self.logger = logger
    }

    /// Serves until its task is cancelled, and until what is being answered then is answered.
    ///
    /// - Parameters:
    ///   - linger: for how long it still takes requests after that.
    ///   - listening: is called with the port.
    func run(linger: Duration = .zero, listening: @escaping @Sendable (Int) -> Void) async throws {
        var quiet = logger
        // Hummingbird tells of each connection that breaks off at `info` and below.
        quiet.logLevel = max(logger.logLevel, .warning)
        let address = address
        let application = Application(
            responder: responder,
            server: server,
            configuration: ApplicationConfiguration(
                address: .hostname(address.host, port: address.port),
                availableConnectionsDelegate: MaximumAvailableConnections(Self.mostConnections)),
            onServerRunning: { channel in listening(channel.localAddress?.port ?? address.port) },
            logger: quiet)
        var configuration = ServiceGroupConfiguration(services: [application], logger: quiet)
        configuration.maximumGracefulShutdownDuration = .seconds(10)
        let group = ServiceGroup(configuration: configuration)
        // Not cancelled with our task, which would cut answers off: asked to end instead.
        let serving = Task { try await group.run() }
        do {
            try await withTaskCancellationHandler {
                try await serving.value
            } onCancel: {
                Task {
                    try? await Task.sleep(for: linger)
                    await group.triggerGracefulShutdown()
                }
            }
        } catch let error as IOError {
            throw ListenError(description: "cannot listen at \(address.host):\(address.port): \(error)")
        }
    }

    private var server: HTTPServerBuilder {
        let tls = tls
        return HTTPServerBuilder { responder in
            let plain = HTTP1Channel(
                responder: responder,
                configuration: .init(
                    idleTimeout: Self.idleTimeout,
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: 32 << 10, maxHeaderListSize: 64 << 10, maxHeaderFieldCount: 100)))
            guard let tls else { return plain }
            return RenewedTLSChannel(plain, certificate: tls)
        }
    }
}

/// An address cannot be had: another program has it, say.
public struct ListenError: Error, Sendable, CustomStringConvertible {
    public let description: String
}
