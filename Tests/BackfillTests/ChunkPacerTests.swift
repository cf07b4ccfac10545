import Backfill
import Testing

@Suite("the pace of chunks")
struct ChunkPacerTests {
    private static let target = Duration.milliseconds(40)

    @Test("it grows by half at most, however fast the chunks are")
    func growth() {
        var pacer = ChunkPacer(target: Self.target)
        var before = pacer.size
        for _ in 0..<5 {
            pacer.finished(in: .microseconds(1))
            #expect(pacer.size > before && Double(pacer.size) <= (Double(before) * 1.5).rounded(.up))
            before = pacer.size
        }
    }

    @Test("chunks that last as long as they should stay as they are")
    func steady() {
        var pacer = ChunkPacer(target: Self.target)
        for milliseconds in [40, 39, 41, 40] { pacer.finished(in: .milliseconds(milliseconds)) }
        #expect(pacer.size == 1000)
    }

    @Test("chunks that are nearly long enough grow once ten of them have told how slow one of ten is")
    func nearly() {
        var pacer = ChunkPacer(target: Self.target)
        for _ in 0..<9 {
            pacer.finished(in: .milliseconds(30))
            #expect(pacer.size == 1000)
        }
        pacer.finished(in: .milliseconds(30))
        #expect(pacer.size == 1334)
    }

    @Test("a chunk twice as long as it should be is followed by one half as large")
    func slow() {
        var pacer = ChunkPacer(target: Self.target)
        pacer.finished(in: .milliseconds(80))
        #expect(pacer.size == 500)
    }

    @Test("a chunk more than five times as long as it should be cuts to a tenth")
    func cut() {
        var pacer = ChunkPacer(target: Self.target)
        pacer.finished(in: .milliseconds(201))
        #expect(pacer.size == 100)
    }

    @Test("it stays within its bounds, and leaves either again")
    func bounds() {
        var pacer = ChunkPacer(target: Self.target, start: 10, bounds: 1...20)
        for _ in 0..<20 { pacer.finished(in: .microseconds(1)) }
        #expect(pacer.size == 20)
        for _ in 0..<20 { pacer.yielded() }
        #expect(pacer.size == 1)
        for _ in 0..<20 { pacer.finished(in: .microseconds(1)) }
        #expect(pacer.size == 20)
    }

    @Test("it does not fall to a row where every chunk is too slow, however few its rows are")
    func floor() {
        var pacer = ChunkPacer(target: .milliseconds(5))
        for _ in 0..<1000 { pacer.finished(in: .milliseconds(12)) }
        #expect(pacer.size == ChunkPacer.fewestRows)
        pacer.finished(in: .seconds(1))
        #expect(pacer.size == ChunkPacer.fewestRows)
    }

    @Test("while a row is isolated it only shrinks, down to that row")
    func isolation() {
        var pacer = ChunkPacer(target: Self.target)
        var sizes: [Int] = []
        while pacer.isolate() {
            sizes.append(pacer.size)
            pacer.finished(in: .microseconds(1))
            #expect(pacer.size == sizes.last)
        }
        #expect(sizes == [100, 10, 1])
        let canShrink = pacer.isolate()
        #expect(!canShrink && pacer.size == 1)
    }

    @Test("once past every row that may have failed, it grows again: somebody mended the row")
    func afterIsolation() {
        var pacer = ChunkPacer(target: Self.target, start: 100)
        _ = pacer.isolate()
        for _ in 0..<10 { pacer.finished(in: .microseconds(1)) }
        #expect(pacer.size == 10)
        pacer.finished(in: .microseconds(1))
        #expect(pacer.size == 15)
    }
}
