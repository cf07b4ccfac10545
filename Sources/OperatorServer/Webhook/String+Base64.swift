internal import Foundation

extension String {
    /// Its UTF-8 bytes as base64.
    var base64: String { Data(utf8).base64EncodedString() }
}
