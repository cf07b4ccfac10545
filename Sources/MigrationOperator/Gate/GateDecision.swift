/// What to do with a workload, in this order.
public struct GateDecision: Sendable, Hashable {
    /// Before the gate may open: read what these ask for live, with the proof, then decide again.
    public var confirm: [Requirement] = []
    /// The stamp to apply; nil when it is right as it is.
    public var stamp: Stamp?
    public var hold: Hold?
    public var events: [MigrationEvent] = []
    /// Of what is held: which pods of its template began before the hold, in words. To be told once.
    public var late: String?

    public init() {}

    /// All annotations of the stamp. An absent one is taken away.
    public struct Stamp: Sendable, Hashable {
        public var gate: String?
        public var verified: String?
        public var released: String?

        var annotations: [String: String] {
            var annotations: [String: String] = [:]
            annotations[SluiceName.gate] = gate
            annotations[SluiceName.verified] = verified
            annotations[SluiceName.released] = released
            return annotations
        }
    }

    public enum Hold: Sendable, Hashable {
        /// Pause it, and say that it was us. The text is for people.
        case pause(String)
        /// Unpause it, then give the field up.
        case release
        /// It runs already; only what is left of our fields is given up.
        case giveUp
    }
}
