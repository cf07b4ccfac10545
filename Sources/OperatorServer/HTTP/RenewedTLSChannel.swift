internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOSSL

/// TLS below a channel, with the certificate that is the present one when a connection begins: a new certificate needs
/// no new listener, and connections that are open stay.
struct RenewedTLSChannel<Base: ServerChildChannel>: ServerChildChannel {
    typealias Value = Base.Value

    private let base: Base
    private let certificate: ServedCertificate

    init(_ base: Base, certificate: ServedCertificate) {
        self.base = base
        self.certificate = certificate
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            guard let context = certificate.context else { throw ChannelError.ioOnClosedChannel }
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
        }.flatMap {
            base.setup(channel: channel, logger: logger)
        }
    }

    func handle(value: Value, logger: Logger) async {
        await base.handle(value: value, logger: logger)
    }
}
