/// Parts of a function that go on at the same time, each with a context of its own.
extension DurableContext {
    /// Does the same for each item, several at a time, and gives the results in the order of the items.
    ///
    /// All of them come to their end, also when one fails; then the failure of the first that failed, in the order of the
    /// items, is thrown. So the outcome does not depend on which was faster.
    ///
    /// - Parameter limit: how many go on at a time; nil for all.
    public func map<Item: Sendable, Value: Sendable>(
        _ items: some Sequence<Item>,
        atMost limit: Int? = nil,
        _ body: @escaping @Sendable (DurableContext, Item) async throws -> Value
    ) async throws -> [Value] {
        let place = try nextID()
        let execution = execution
        let items = Array(items)
        return try await execution.all(items.count, atMost: limit) { index in
            do {
                return .success(try await body(DurableContext(execution, id: "\(place).\(index + 1)"), items[index]))
            } catch {
                return .failure(error)
            }
        }
    }

    /// Does two things at the same time. Both come to their end; the failure of the first is thrown before that of the
    /// second.
    public func concurrently<First: Sendable, Second: Sendable>(
        _ first: @escaping @Sendable (DurableContext) async throws -> First,
        _ second: @escaping @Sendable (DurableContext) async throws -> Second
    ) async throws -> (First, Second) {
        let results = try await map([true, false]) { context, isFirst -> Either<First, Second> in
            isFirst ? .first(try await first(context)) : .second(try await second(context))
        }
        guard case .first(let one) = results[0], case .second(let two) = results[1] else { preconditionFailure() }
        return (one, two)
    }
}

private enum Either<First: Sendable, Second: Sendable>: Sendable {
    case first(First)
    case second(Second)
}

extension Execution {
    /// Runs so many branches, each in a task, while the branch that asks waits for them.
    fileprivate func all<Value: Sendable>(
        _ count: Int,
        atMost limit: Int?,
        _ body: @escaping @Sendable (Int) async -> Result<Value, any Error>
    ) async throws -> [Value] {
        guard count > 0 else { return [] }
        let width = min(count, max(1, limit ?? count))
        let results = await withTaskGroup(of: (Int, Result<Value, any Error>).self) { group in
            var results = [Result<Value, any Error>?](repeating: nil, count: count)
            // The one that waits does not run meanwhile.
            beginBranches(width - 1)
            for index in 0..<width { group.addTask { (index, await body(index)) } }
            var next = width
            var running = width
            while let (index, result) = await group.next() {
                results[index] = result
                if next < count {
                    let index = next
                    group.addTask { (index, await body(index)) }
                    next += 1
                } else {
                    running -= 1
                    if running > 0 { endBranches() }
                }
            }
            return results
        }
        return try results.map { try ($0 ?? .failure(CancellationError())).get() }
    }
}
