/// What an operator process serves, and where.
public struct OperatorServerSettings: Sendable {
    /// A host's name or address, and a port; 0 lets the operating system choose.
    public struct Address: Sendable, Hashable {
        public var host: String
        public var port: Int

        public init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }

    /// What may be served at an address without TLS.
    public struct Offers: OptionSet, Sendable, CustomStringConvertible {
        public let rawValue: Int

        public init(rawValue: Int) {
            self.rawValue = rawValue
        }

        /// `/healthz` and `/readyz`.
        public static let probes = Offers(rawValue: 1)
        /// `/metrics`.
        public static let metrics = Offers(rawValue: 2)
        /// `/gates/{namespace}/{name}`.
        public static let gates = Offers(rawValue: 4)

        public var description: String {
            [(Offers.probes, "health probes"), (.metrics, "metrics"), (.gates, "gates")]
                .filter { contains($0.0) }.map(\.1).joined(separator: ", ")
        }
    }

    public struct Place: Sendable {
        public var address: Address
        public var offers: Offers
    }

    /// Where something is served; each address once.
    public private(set) var places: [Place] = []
    /// The admission webhook; nil where it is off.
    public var webhook: WebhookSettings?

    public init() {}

    public var isEmpty: Bool { places.isEmpty && webhook == nil }

    /// Serves `offers` at `address`, with what is served there already. Port 0 is another one each time.
    public mutating func serve(_ offers: Offers, at address: Address) {
        if let index = places.firstIndex(where: { $0.address == address }), address.port != 0 {
            places[index].offers.formUnion(offers)
        } else {
            places.append(Place(address: address, offers: offers))
        }
    }
}
