internal import Synchronization

/// The answers to several requests, until all of them have come.
final class GatheredAnswers: Sendable {
    private struct State {
        var answers: [Response?]
        var missing: Int
        var error: (any Error)?
    }

    private let state: Mutex<State>
    private let whenComplete: @Sendable (Result<[Response?], any Error>) -> Void

    /// - Parameter whenComplete: called once, with the last answer.
    init(count: Int, whenComplete: @escaping @Sendable (Result<[Response?], any Error>) -> Void) {
        state = Mutex(State(answers: Array(repeating: nil, count: count), missing: count))
        self.whenComplete = whenComplete
    }

    func take(_ answer: Result<Response?, any Error>, at index: Int) {
        let complete: Result<[Response?], any Error>? = state.withLock { state in
            switch answer {
            case .success(let response): state.answers[index] = response
            case .failure(let error): state.error = state.error ?? error
            }
            state.missing -= 1
            guard state.missing == 0 else { return nil }
            return state.error.map { .failure($0) } ?? .success(state.answers)
        }
        if let complete { whenComplete(complete) }
    }
}
