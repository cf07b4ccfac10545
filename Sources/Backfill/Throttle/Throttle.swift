internal import Synchronization

/// What the workers of a walk ask before each chunk.
public final class Throttle: Sendable {
    /// Nil: nothing holds.
    private let state: Mutex<ThrottleState?>

    init(_ state: ThrottleState?) {
        self.state = Mutex(state)
    }

    /// Never holds.
    public static let none = Throttle(nil)

    /// How often who is held asks again.
    private static let pause = Duration.milliseconds(50)

    /// Returns when a worker may begin its next chunk; false when it may not in time.
    ///
    /// - Parameters:
    ///   - worker: from 0 on.
    ///   - patience: for so long it may be held. Whoever merely leaves room for others is not held.
    ///   - deadline: until then it has to be.
    /// - Throws: `CancellationError`.
    func admit(
        _ worker: Int, patience: Duration? = nil, until deadline: ContinuousClock.Instant? = nil
    ) async throws -> Bool {
        var heldSince: ContinuousClock.Instant?
        while true {
            let now = ContinuousClock.now
            if let deadline, now > deadline { return false }
            let (admits, isHeld, unpaid) =
                update { ($0.admits(worker, at: now), $0.isHeld(at: now), $0.unpaid(at: now)) } ?? (true, false, nil)
            if admits { return true }
            heldSince = isHeld ? heldSince ?? now : nil
            if let patience, let heldSince, heldSince.duration(to: now) > patience { return false }
            try await Task.sleep(for: isHeld ? Self.pause : min(Self.pause, unpaid ?? Self.pause))
        }
    }

    /// How old others' transactions may become; nil where nobody minds.
    var maxTransactionAge: Duration? { update { $0.rules.maxTransactionAge } ?? nil }

    /// A worker did a chunk of about so many rows; rests as long as it has to.
    func finished(_ worker: Int, rows: Int64, in duration: Duration) async throws {
        let rest = update { $0.rest(after: duration, rows: rows, of: worker, at: .now) }
        if let rest, rest > .zero { try await Task.sleep(for: rest) }
    }

    /// Nil where nothing holds, ever.
    @discardableResult
    func update<Value: Sendable>(_ change: (inout ThrottleState) -> Value) -> Value? {
        state.withLock { state in
            guard var changed = state else { return nil }
            defer { state = changed }
            return change(&changed)
        }
    }
}

/// One worker's turns.
struct ChunkTurn: Sendable {
    let throttle: Throttle
    /// From 0 on.
    let worker: Int

    /// While `body` runs, others leave room for it.
    static func during<Value>(
        _ throttle: Throttle, worker: Int, _ body: (ChunkTurn) async throws -> Value
    ) async throws -> Value {
        throttle.update { $0.set(worker, isPresent: true) }
        defer { throttle.update { $0.set(worker, isPresent: false) } }
        return try await body(ChunkTurn(throttle: throttle, worker: worker))
    }

    /// Returns when it may begin a chunk; false when it may not in time, see ``Throttle/admit(_:patience:until:)``.
    ///
    /// - Throws: `CancellationError`.
    @discardableResult
    func begin(patience: Duration? = nil, until deadline: ContinuousClock.Instant? = nil) async throws -> Bool {
        try Task.checkCancellation()
        return try await throttle.admit(worker, patience: patience, until: deadline)
    }

    func end(rows: Int64, in duration: Duration) async throws {
        try await throttle.finished(worker, rows: rows, in: duration)
    }
}
