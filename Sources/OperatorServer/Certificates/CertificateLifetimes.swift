/// For how long certificates are good. Each is renewed after two thirds of its life.
public struct CertificateLifetimes: Sendable, Hashable {
    public var authority: Duration = .seconds(365 * 86_400)
    public var serving: Duration = .seconds(90 * 86_400)
    /// How often the Secret is looked at: what another replica wrote is taken up within that time.
    public var look: Duration = .seconds(10)

    public init() {}
}
