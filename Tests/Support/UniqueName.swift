/// A name that no other test of this run or of one beside it uses: valid for a database, a namespace, a folder.
public func uniqueName(_ prefix: String) -> String {
    prefix + "-" + String(UInt32.random(in: 0x1000_0000...UInt32.max), radix: 16)
}
