import ArgumentParser
import Foundation

/// A password in an argument, where every user of the machine can read it.
enum PasswordArgument {
    /// Throws when there is one in the URL that an option was given; `instead` is the variable for it.
    static func refuse(_ url: String?, instead: String) throws {
        guard let url, isIn(url) else { return }
        throw ValidationError(
            "a password in an argument can be read by everybody on this machine; put the URL into \(instead)")
    }

    /// `user:password@` in the authority, or a parameter called password, of a URL or of keyword and value pairs.
    private static func isIn(_ text: String) -> Bool {
        let start = text.range(of: "://")?.upperBound ?? text.startIndex
        let authority = text[start...].prefix { !"/?#".contains($0) }
        if let at = authority.lastIndex(of: "@"), authority[..<at].contains(":") { return true }
        return text.range(of: "password=", options: .caseInsensitive) != nil
            || text.range(of: "password =", options: .caseInsensitive) != nil
    }
}
