internal import DurablePromises
internal import Foundation
internal import Logging

struct WalkPromises: Sendable {
    let store: PromiseStore
    let root: String
    let worker: String
    let lease: Duration
    let logger: Logger
    func claim() async throws -> TaskClaim? { TaskClaim() }
    func whileHeld(_ claim: TaskClaim, _ body: @escaping @Sendable () async throws -> Void) async throws { try await body() }
    func once(_ step: String, under claim: TaskClaim, isDone: () async throws -> Bool, _ body: () async throws -> Void) async throws {
        if try await isDone() { return }
        try await body()
    }
}
