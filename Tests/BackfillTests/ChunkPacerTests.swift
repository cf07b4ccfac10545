import Backfill
import Testing

@Suite("The pace of chunks")
struct ChunkPacerTests {
    @Test("comes to about the target when a row's cost is even")
    func settles() {
        var pacer = ChunkPacer(target: .milliseconds(40))
        for _ in 0..<100 { pacer.finished(in: .microseconds(10 * pacer.rows)) }
        #expect((3800...4400).contains(pacer.rows))
    }

    @Test("does not fall to a row where every chunk is too slow, however few its rows are")
    func floor() {
        var pacer = ChunkPacer(target: .milliseconds(5))
        for _ in 0..<1000 { pacer.finished(in: .milliseconds(12)) }
        #expect(pacer.rows == ChunkPacer.floor)
        pacer.finished(in: .seconds(1))
        #expect(pacer.rows == ChunkPacer.floor)
    }

    @Test("grows again after it gave way to locks until it was one row")
    func grows() {
        var pacer = ChunkPacer(target: .milliseconds(40))
        for _ in 0..<20 { pacer.yielded() }
        #expect(pacer.rows == 1)
        for _ in 0..<100 { pacer.finished(in: .milliseconds(1)) }
        #expect(pacer.rows == 50_000)
    }

    @Test("goes down to the row that fails, and says when it is alone")
    func isolates() {
        var pacer = ChunkPacer(target: .milliseconds(40))
        var sizes: [Int] = []
        while pacer.isolate() {
            pacer.finished(in: .milliseconds(1))
            sizes.append(pacer.rows)
        }
        #expect(sizes == [100, 10, 1])
    }
}
