internal import ControllerRuntime
internal import NIOSSL
internal import Synchronization

/// The certificate that new connections are served with.
final class ServedCertificate: Sendable {
    private struct State {
        var stored: StoredCertificates.Signer?
        var context: NIOSSLContext?
    }

    private let state = Mutex(State())
    private let isThere = Latch()

    /// Nil before there is a certificate.
    var context: NIOSSLContext? { state.withLock { $0.context } }

    /// Serves new connections with what is stored. May be repeated.
    ///
    /// - Throws: where it cannot be used; the one before stays.
    func use(_ stored: StoredCertificates) throws {
        guard state.withLock({ $0.stored }) != stored.serving else { return }
        let certificates = try NIOSSLCertificate.fromPEMBytes(Array(stored.serving.certificate.utf8))
        let key = try NIOSSLPrivateKey(bytes: Array(stored.serving.key.utf8), format: .pem)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: certificates.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        let context = try NIOSSLContext(configuration: configuration)
        state.withLock { $0 = State(stored: stored.serving, context: context) }
        isThere.open()
    }

    /// - Throws: `CancellationError` when the task is cancelled before.
    func waitUntilThere() async throws {
        try await isThere.wait()
    }
}
