internal import DurablePromises
internal import Foundation
public import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// The front of the promise coordinator: the protocol's requests over HTTP, and streams of messages for its workers.
///
/// It decides who may ask and how much, and keeps nothing: what it serves is a ``ServedPromises``. Any number of servers may
/// stand before one database.
public final class PromiseServer: Sendable {
    private let settings: ServerSettings
    private let main: ConnectionService
    private let connections: ConnectionRegistry
    private let logger: Logger

    /// - Parameter isReady: whether requests can be answered at present; ends within some seconds.
    public init(
        _ promises: any ServedPromises,
        settings: ServerSettings,
        metrics: ServerMetrics = ServerMetrics(),
        logger: Logger,
        isReady: @escaping @Sendable () async -> Bool
    ) {
        self.settings = settings
        self.logger = logger
        connections = ConnectionRegistry(most: settings.limits.connections, metrics: metrics)
        main = ConnectionService(
            offer: settings.metricsListen == nil ? [.promises, .metrics] : .promises,
            desk: RequestDesk(
                promises: promises,
                limits: settings.limits,
                authenticator: settings.authenticator,
                isDebugging: settings.isDebugging,
                metrics: metrics,
                logger: logger
            ),
            connections: connections,
            streams: StreamRegistry(most: settings.limits.streams, metrics: metrics),
            work: RunningWork(),
            url: settings.url,
            isReady: isReady
        )
    }

    /// Serves until the task is cancelled. Then nothing new is taken, what is running is finished, streams are ended in good
    /// order, and it returns, within ``ServerLimits/shutdownTimeout``.
    ///
    /// Throws when it cannot listen. May be called once.
    ///
    /// - Parameter listening: is called with the addresses at which it listens, that of the metrics if it has one of its own.
    public func run(
        listening: @escaping @Sendable (_ main: ListenAddress, _ metrics: ListenAddress?) -> Void = { _, _ in }
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: settings.threads)
        do {
            let listeners = try await bind(on: group)
            listening(listeners.main.address, listeners.metrics?.address)
            await untilCancelled(or: listeners.main.channel)
            for listener in [listeners.main, listeners.metrics] { try? await listener?.channel.close() }
            await connections.close(within: settings.limits.shutdownTimeout, on: group.next())
            guard await main.work.untilNone(within: .seconds(1), on: group.next()) else {
                logger.warning("requests whose clients were cut off are still running; their threads stay")
                return
            }
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
        try await group.shutdownGracefully()
    }

    private struct Listener {
        let channel: any Channel
        let address: ListenAddress
    }

    private func bind(on group: MultiThreadedEventLoopGroup) async throws -> (main: Listener, metrics: Listener?) {
        let first = try await listen(settings.listen, main, group)
        guard let address = settings.metricsListen else { return (first, nil) }
        let offer = ConnectionService(
            offer: .metrics, desk: main.desk, connections: connections, streams: main.streams, work: main.work,
            url: nil, isReady: main.isReady
        )
        do {
            return (first, try await listen(address, offer, group))
        } catch {
            try? await first.channel.close()
            throw error
        }
    }

    private func listen(
        _ address: ListenAddress,
        _ service: ConnectionService,
        _ group: MultiThreadedEventLoopGroup
    ) async throws -> Listener {
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                // Without it the listener ends when there are no more file descriptors.
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptBackoffHandler())
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            // A client that has said all is answered all the same.
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let entry = service.connections.enter(channel)
                    if entry == .farTooMany { throw ChannelError.ioOnClosedChannel }
                    channel.closeFuture.whenComplete { _ in service.connections.leave(channel) }
                    let decoder = HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes, limitConfiguration: .small)
                    try channel.pipeline.syncOperations.addHandlers(
                        ByteToMessageHandler(decoder),
                        Connection(service, isRefused: entry == .tooMany)
                    )
                }
            }
        do {
            let channel = try await bootstrap.bind(host: address.host, port: address.port).get()
            return Listener(
                channel: channel,
                address: ListenAddress(host: address.host, port: channel.localAddress?.port ?? address.port)
            )
        } catch {
            throw ListenError(description: "cannot listen at \(address): \(Self.reason(error))")
        }
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as IOError where error.errnoCode == EADDRINUSE:
            "another program listens there; stop it, or choose another port"
        case let error as IOError where error.errnoCode == EADDRNOTAVAIL: "it is no address of this machine"
        case let error as IOError: String(cString: strerror(error.errnoCode))
        case is SocketAddressError.UnknownHost: "the host's name cannot be resolved"
        default: "\(error)"
        }
    }

    private func untilCancelled(or channel: any Channel) async {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
        channel.closeFuture.whenComplete { _ in continuation.finish() }
        for await _ in stream {}
    }
}

extension NIOHTTPDecoderLimitConfiguration {
    /// What the head of a request may have, a long token included.
    fileprivate static var small: NIOHTTPDecoderLimitConfiguration {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = 32 << 10
        limits.maxHeaderListSize = 64 << 10
        limits.maxHeaderFieldCount = 100
        return limits
    }
}

/// An address cannot be had: another program has it, say.
public struct ListenError: Error, Sendable, CustomStringConvertible {
    public let description: String
}
