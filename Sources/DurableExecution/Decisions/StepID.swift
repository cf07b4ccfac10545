internal import DurablePromises

/// The ids of promises: `root`, `root:1`, `root:1.1`; `root:d…` for what is detached.
enum StepID {
    /// A root's first part is separated by a colon, deeper ones by points.
    static func join(_ ancestor: String, _ segment: String) -> String {
        ancestor + (ancestor.utf8.contains(UInt8(ascii: ":")) ? "." : ":") + segment
    }

    /// The id of what is detached at the place `id`: below the origin, so that ids of what detaches itself again and again
    /// do not grow. Sixteen digits of FNV-1a.
    static func detached(_ id: String) -> String {
        var hash = StableHash()
        hash.add(id)
        let digits = String(hash.value, radix: 16)
        return join(Lineage.origin(id), "d" + String(repeating: "0", count: 16 - digits.count) + digits)
    }
}
