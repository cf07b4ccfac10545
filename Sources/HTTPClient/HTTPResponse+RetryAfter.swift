internal import CCurl
public import Foundation

extension HTTPResponse {
    /// For how long from `date` on the server asks not to be asked again (`Retry-After`): a number of seconds, or a date in
    /// any of HTTP's three formats (RFC 9110, sections 10.2.3 and 5.6.7). Zero for a date that has passed; nil where it says
    /// nothing that can be read.
    public func retryAfter(at date: Date) -> Duration? {
        guard let text = headers["retry-after"] else { return nil }
        if text.allSatisfy({ $0.isASCII && $0.isNumber }) {
            return Int64(text).map { .seconds($0) }
        }
        // curl_getdate reads a great deal more, such as a lone number: https://curl.se/libcurl/c/curl_getdate.html
        guard text.first?.isLetter == true else { return nil }
        let time = curl_getdate(text, nil)
        return time < 0 ? nil : max(.zero, .seconds(Double(time) - date.timeIntervalSince1970))
    }
}
