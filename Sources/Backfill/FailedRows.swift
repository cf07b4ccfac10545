internal import Synchronization

/// The rows of a walk that cannot be done. It goes on without them for a while, so that whoever mends them has to be told of them
/// once, and not of one after the other; their ranges stay where the first of them is.
final class FailedRows: Sendable {
    private struct State {
        var rows: [RowFailure] = []
        var until: ContinuousClock.Instant?
    }

    private let state = Mutex(State())

    /// So many are told.
    private static let limit = 10
    /// For so long others are looked for after the first one.
    private static let patience = Duration.seconds(10)

    /// - Throws: ``RowFailures`` when enough is known.
    func note(_ row: RowFailure) throws {
        state.withLock { state in
            guard state.rows.count < Self.limit, !state.rows.contains(row) else { return }
            state.rows.append(row)
            if state.until == nil { state.until = .now + Self.patience }
        }
        try check()
    }

    /// - Throws: ``RowFailures`` when enough is known.
    func check() throws {
        let isEnough = state.withLock { state in
            state.rows.count >= Self.limit || (state.until.map { $0 < .now } ?? false)
        }
        if isEnough { try end(isAll: false) }
    }

    /// At the end of the walk.
    ///
    /// - Parameter isAll: whether no other row is left that may fail.
    /// - Throws: ``RowFailures`` if there is one.
    func end(isAll: Bool = true) throws {
        let rows = state.withLock { $0.rows }
        if !rows.isEmpty { throw RowFailures(rows: rows, isAll: isAll) }
    }
}

/// Rows that cannot be done. All others that were looked at are.
public struct RowFailures: Error, Hashable, Sendable, CustomStringConvertible {
    /// Not empty.
    public let rows: [RowFailure]
    /// Whether the walk came to its end but for them.
    public let isAll: Bool

    public var description: String {
        let told = rows.map(\.description).joined(separator: "; ")
        return isAll ? told : "\(told); there may be others"
    }
}
