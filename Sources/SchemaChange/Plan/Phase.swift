/// How far a migration has come, in the order in which it goes forwards.
public enum Phase: String, SpecWord, Sendable, Comparable {
    /// As if the migration had never been applied.
    case initial = "Initial"
    /// The new columns exist.
    case expand = "Expand"
    /// Whatever either version of the application writes reaches both sides.
    case dualWrite = "DualWrite"
    /// Every row is filled, and proven to be.
    case backfill = "Backfill"
    /// The old columns are archived.
    case contract = "Contract"

    public static func < (left: Phase, right: Phase) -> Bool {
        left.ordinal < right.ordinal
    }

    /// The phase after this one, on the way forwards.
    public var next: Phase? {
        Self.allCases.first { $0 > self }
    }

    /// The phase before this one, on the way backwards.
    public var previous: Phase? {
        Self.allCases.last { $0 < self }
    }

    private var ordinal: Int {
        Self.allCases.firstIndex(of: self)!
    }
}
