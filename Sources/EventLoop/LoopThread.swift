internal import CCurl
internal import Foundation
internal import HeapModule
internal import Synchronization

/// The executor behind ``EventLoop``: a thread that runs its jobs, its timers and libcurl, and otherwise waits in
/// `curl_multi_poll`.
///
/// `@unchecked Sendable`: all its state but `jobs` is touched by its own thread only; every method but `enqueue` is
/// isolated to ``EventLoop``, which that thread executes. `curl_multi_wakeup`, the only call from other threads, is
/// documented as safe there (<https://curl.se/libcurl/c/curl_multi_wakeup.html>).
final class LoopThread: SerialExecutor, @unchecked Sendable {
    private let jobs = Mutex<[UnownedJob]>([])
    private let multi: UnsafeMutableRawPointer
    private let identity = Mutex<pthread_t?>(nil)

    private var watches: [Watch] = []
    private var timers = Heap<Due>()
    private var timerCount: UInt64 = 0
    private var transfers: [UnsafeMutableRawPointer: @EventLoop (UInt32) -> Void] = [:]

    /// A timer with its place in the heap: by deadline, then by the order in which it came.
    private struct Due: Comparable {
        let deadline: ContinuousClock.Instant
        let order: UInt64
        let timer: LoopTimer

        static func < (left: Due, right: Due) -> Bool {
            (left.deadline, left.order) < (right.deadline, right.order)
        }

        static func == (left: Due, right: Due) -> Bool {
            left.order == right.order
        }
    }

    init() {
        curl_global_init(Int(CURL_GLOBAL_ALL))
        guard let multi = curl_multi_init() else {
            fatalError("libcurl could not make a multi handle: out of memory")
        }
        self.multi = multi
        let thread = Thread { [self] in
            identity.withLock { $0 = pthread_self() }
            while true { turn() }
        }
        thread.name = "sluice-loop"
        thread.start()
    }

    // MARK: SerialExecutor

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let isFirst = jobs.withLock { jobs in
            jobs.append(job)
            return jobs.count == 1
        }
        if isFirst { curl_multi_wakeup(multi) }
    }

    func checkIsolated() {
        precondition(isSameExclusiveExecutionContext(other: self), "this must run on the event loop's thread")
    }

    func isIsolatingCurrentContext() -> Bool? {
        identity.withLock { $0.map { pthread_equal($0, pthread_self()) != 0 } ?? false }
    }

    func isSameExclusiveExecutionContext(other: LoopThread) -> Bool {
        self === other && isIsolatingCurrentContext() == true
    }

    // MARK: What the loop waits for

    @EventLoop
    func add(_ watch: Watch) -> Watch {
        watches.append(watch)
        return watch
    }

    @EventLoop
    func add(_ timer: LoopTimer) -> LoopTimer {
        timerCount += 1
        timers.insert(Due(deadline: timer.deadline, order: timerCount, timer: timer))
        return timer
    }

    @EventLoop
    func start(_ easy: UnsafeMutableRawPointer, _ completion: @escaping @EventLoop (UInt32) -> Void) {
        transfers[easy] = completion
        curl_multi_add_handle(multi, easy)
    }

    @EventLoop
    func stop(_ easy: UnsafeMutableRawPointer) {
        guard transfers.removeValue(forKey: easy) != nil else { return }
        curl_multi_remove_handle(multi, easy)
    }

    // MARK: One turn

    private func turn() {
        runJobs()
        EventLoop.assumeIsolated {
            fireTimers()
            perform()
            poll()
        }
    }

    private func runJobs() {
        let batch = jobs.withLock { jobs in
            defer { jobs.removeAll() }
            return jobs
        }
        for job in batch {
            job.runSynchronously(on: asUnownedSerialExecutor())
        }
    }

    @EventLoop
    private func fireTimers() {
        let now = ContinuousClock.now
        while let next = timers.min, next.timer.isCancelled || next.deadline <= now {
            timers.removeMin()
            if !next.timer.isCancelled { next.timer.handler() }
        }
    }

    @EventLoop
    private func perform() {
        var running: Int32 = 0
        curl_multi_perform(multi, &running)
        var waiting: Int32 = 0
        while let message = curl_multi_info_read(multi, &waiting) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
            let result = message.pointee.data.result
            let completion = transfers.removeValue(forKey: easy)
            curl_multi_remove_handle(multi, easy)
            completion?(result.rawValue)
        }
    }

    @EventLoop
    private func poll() {
        watches.removeAll { $0.isCancelled }
        let polled = watches
        var descriptors = polled.map { watch in
            var events: Int16 = 0
            if watch.interest.contains(.readable) { events |= Int16(CURL_WAIT_POLLIN) }
            if watch.interest.contains(.writable) { events |= Int16(CURL_WAIT_POLLOUT) }
            return curl_waitfd(fd: watch.descriptor, events: events, revents: 0)
        }
        curl_multi_poll(multi, &descriptors, UInt32(descriptors.count), pollTimeout(), nil)
        for (watch, descriptor) in zip(polled, descriptors) where descriptor.revents != 0 && !watch.isCancelled {
            var ready: Readiness = []
            if descriptor.revents & Int16(CURL_WAIT_POLLIN) != 0 { ready.insert(.readable) }
            if descriptor.revents & Int16(CURL_WAIT_POLLOUT) != 0 { ready.insert(.writable) }
            watch.handler(ready)
        }
    }

    /// Milliseconds until the next timer, rounded up; libcurl shortens it to its own next deadline.
    @EventLoop
    private func pollTimeout() -> Int32 {
        guard jobs.withLock({ $0.isEmpty }) else { return 0 }
        guard let next = timers.min else { return 60_000 }
        let remaining = next.deadline - .now
        guard remaining > .zero else { return 0 }
        let milliseconds = remaining / .milliseconds(1)
        return Int32(min(60_000, milliseconds.rounded(.up)))
    }
}
