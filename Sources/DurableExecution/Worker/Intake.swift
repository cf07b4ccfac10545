internal import DurablePromises

/// Which of the tasks that are offered a worker takes, and when: pure.
struct Intake: Sendable {
    /// How many it does at a time.
    let width: Int
    /// How many wait here at the most. What is passed over is offered again.
    let room: Int
    private var running: Set<TaskReference> = []
    private var waiting: [TaskReference] = []

    init(width: Int, room: Int = 1000) {
        self.width = width
        self.room = room
    }

    /// A task is offered; it is returned when it is to be taken now.
    mutating func offer(_ task: TaskReference) -> TaskReference? {
        if running.contains(task) || waiting.contains(task) { return nil }
        if running.count < width {
            running.insert(task)
            return task
        }
        // An older version of it is not to be had any more.
        waiting.removeAll { $0.id == task.id }
        if waiting.count < room { waiting.append(task) }
        return nil
    }

    /// A task is to be begun here; false when there is no room.
    mutating func reserve(_ task: TaskReference) -> Bool {
        guard running.count < width, !running.contains(task) else { return false }
        running.insert(task)
        return true
    }

    func isRunning(_ task: TaskReference) -> Bool { running.contains(task) }

    /// A task is done with; the one to be taken in its place is returned.
    mutating func done(_ task: TaskReference) -> TaskReference? {
        running.remove(task)
        guard !waiting.isEmpty else { return nil }
        let next = waiting.removeFirst()
        running.insert(next)
        return next
    }
}
