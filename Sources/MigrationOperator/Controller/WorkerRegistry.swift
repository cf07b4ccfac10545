internal import Foundation
internal import KubernetesClient
internal import MigrationEngine
internal import SchemaChange
internal import Synchronization

/// The engines that run in this process, at most one for each Migration, and the last word of each.
///
/// A run belongs to the registry until it has ended: ``stop(_:)`` and ``stopAll()`` return only when it has, and with it
/// its lease in the target.
final class WorkerRegistry: Sendable {
    typealias Run = @Sendable (_ report: @escaping @Sendable (MigrationReport) -> Void) async throws -> MigrationReport

    private struct Entry {
        var state: WorkerState
        var task: Task<Void, Never>?
        var run: UInt64
        var toldAt: ContinuousClock.Instant?
    }

    private struct Table {
        var entries: [ObjectKey: Entry] = [:]
        var runs: UInt64 = 0
        var isClosed = false
    }

    private let table = Mutex(Table())
    private let slots: RunSlots
    private let changed: @Sendable (ObjectKey) -> Void
    private let told: Duration = .milliseconds(500)

    /// - Parameter changed: called when there is something new to be read; often, but not for every row.
    /// - Parameter slots: runs that work at the same time; others wait for their turn, as ``RunSlots`` has it.
    init(slots: Int = 16, changed: @escaping @Sendable (ObjectKey) -> Void) {
        self.slots = RunSlots(slots)
        self.changed = changed
    }

    func state(_ key: ObjectKey) -> WorkerState? {
        table.withLock { $0.entries[key]?.state }
    }

    /// Starts a run, unless one is there already. Returns whether it did.
    @discardableResult
    func start(_ key: ObjectKey, uid: String?, generation: Int64, phase: Phase, run body: @escaping Run) -> Bool {
        table.withLock { table in
            guard !table.isClosed, table.entries[key]?.state.isRunning != true else { return false }
            table.runs += 1
            let number = table.runs
            var state = WorkerState(uid: uid, generation: generation, phase: phase, startedAt: Date())
            if let last = table.entries[key]?.state, last.uid == uid, last.generation == generation,
                last.phase == phase
            {
                state = last.next(startedAt: state.startedAt)
            }
            let task = Task { [self] in
                let waits: @Sendable () -> Void = { self.waitsForSlot(true, number, key) }
                let report = try? await self.slots.with(of: key.namespace, waits: waits) {
                    self.waitsForSlot(false, number, key)
                    return try await body { self.heard($0, from: number, of: key) }
                }
                self.ended(report, number, key)
            }
            table.entries[key] = Entry(state: state, task: task, run: number)
            return true
        }
    }

    /// What a run waited for may have come: it is tried again soon. True if there is one that waits.
    func nudge(_ key: ObjectKey) -> Bool {
        table.withLock { table in
            guard table.entries[key]?.state.isWaiting == true else { return false }
            table.entries[key]?.state.fruitless = 1
            return true
        }
    }

    /// Those of a namespace that ``nudge(_:)`` has something to say to.
    func waiting(in namespace: String?) -> [ObjectKey] {
        table.withLock { table in
            table.entries.filter { $0.key.namespace == namespace && $0.value.state.isWaiting }.map(\.key)
        }
    }

    /// Cancels the run and waits for its end. The key's state is forgotten.
    func stop(_ key: ObjectKey) async {
        let task = table.withLock { $0.entries[key]?.task }
        task?.cancel()
        await task?.value
        table.withLock { table in
            if table.entries[key]?.state.isRunning == false { table.entries[key] = nil }
        }
    }

    /// Cancels all runs and waits for their ends. None is started any more.
    func stopAll() async {
        let tasks = table.withLock { table in
            table.isClosed = true
            return table.entries.values.compactMap(\.task)
        }
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
    }

    private func waitsForSlot(_ waits: Bool, _ run: UInt64, _ key: ObjectKey) {
        let isNews = table.withLock { table -> Bool in
            guard var entry = table.entries[key], entry.run == run, entry.state.waitsForSlot != waits else {
                return false
            }
            entry.state.waitsForSlot = waits
            if !waits { entry.state.startedAt = Date() }
            table.entries[key] = entry
            return true
        }
        if isNews { changed(key) }
    }

    private func heard(_ report: MigrationReport, from run: UInt64, of key: ObjectKey) {
        let isNews = table.withLock { table -> Bool in
            guard var entry = table.entries[key], entry.run == run else { return false }
            let before = entry.state.report
            entry.state.report = report
            let isTurn =
                before?.phase != report.phase || before?.step != report.step || before?.activity != report.activity
                || before?.certificate != report.certificate
            let isDue = entry.toldAt.map { .now - $0 >= told } ?? true
            if isTurn || isDue { entry.toldAt = .now }
            table.entries[key] = entry
            return isTurn || isDue
        }
        if isNews { changed(key) }
    }

    private func ended(_ report: MigrationReport?, _ run: UInt64, _ key: ObjectKey) {
        table.withLock { table in
            guard table.entries[key]?.run == run else { return }
            table.entries[key]?.task = nil
            table.entries[key]?.state.endedAt = Date()
            table.entries[key]?.state.waitsForSlot = false
            if let report { table.entries[key]?.state.report = report }
            if report?.activity == .reached {
                table.entries[key]?.state.fruitless = 0
            } else {
                table.entries[key]?.state.fruitless += 1
            }
        }
        changed(key)
    }
}

extension WorkerState {
    /// Whether runs have come to nothing lately, and the next one is a while away.
    fileprivate var isWaiting: Bool { !isRunning && fruitless > 1 }
}
