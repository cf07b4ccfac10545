/// Waits until a condition holds: what a test does instead of sleeping.
///
/// Asks at once and then again and again. An error of the condition counts as "not yet": servers that are being started
/// again refuse connections. Throws ``TestFailure`` when the time is over, with the last error.
///
/// - Parameters:
///   - what: what is waited for, as the failure will say it: "the gate is open".
///   - limit: for how long to ask. A condition that does not return is not cut off.
public func eventually(
    _ what: String, within limit: Duration = .seconds(10), every pause: Duration = .milliseconds(50),
    file: String = #fileID, line: Int = #line, _ condition: () async throws -> Bool
) async throws {
    try await eventually(what, within: limit, every: pause, file: file, line: line, condition) { $0 }
}

/// Waits for a value that is not nil yet, and returns it.
@discardableResult
public func eventually<Value>(
    _ what: String, within limit: Duration = .seconds(10), every pause: Duration = .milliseconds(50),
    file: String = #fileID, line: Int = #line, _ value: () async throws -> Value?
) async throws -> Value {
    let found = try await eventually(what, within: limit, every: pause, file: file, line: line, value) { $0 != nil }
    guard let found else { throw TestFailure("\(what): found and lost") }
    return found
}

/// Waits until a value is as wanted, and returns it. The failure shows the last value that was not.
///
///     try await eventually("two pods", { try await count() }) { $0 == 2 }
@discardableResult
public func eventually<Value>(
    _ what: String, within limit: Duration = .seconds(10), every pause: Duration = .milliseconds(50),
    file: String = #fileID, line: Int = #line, _ value: () async throws -> Value, until isWanted: (Value) -> Bool
) async throws -> Value {
    let clock = ContinuousClock()
    let deadline = clock.now + limit
    while true {
        let last: String
        do {
            let found = try await value()
            if isWanted(found) { return found }
            last = "last seen: \(found)"
        } catch let error as CancellationError {
            throw error
        } catch {
            last = "last error: \(error)"
        }
        guard clock.now + pause < deadline else {
            throw TestFailure("\(file):\(line): \(what): not within \(limit); \(last)")
        }
        try await clock.sleep(for: pause)
    }
}
