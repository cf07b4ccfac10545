internal import CCurl
internal import EventLoop
internal import Foundation

/// libcurl's handle for one request, with its options set.
@EventLoop
final class EasyHandle {
    let handle: UnsafeMutableRawPointer
    private var headers: UnsafeMutablePointer<curl_slist>?
    private var connectTo: UnsafeMutablePointer<curl_slist>?
    private let message: UnsafeMutablePointer<CChar>
    private var isClosed = false

    init(_ request: HTTPRequest, over transport: HTTPTransport) throws(HTTPError) {
        guard let handle = curl_easy_init() else {
            throw HTTPError(.connection, "libcurl is out of memory", mayHaveArrived: false)
        }
        self.handle = handle
        message = .allocate(capacity: Int(CURL_ERROR_SIZE))
        message.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        sluice_curl_set_pointer(handle, CURLOPT_ERRORBUFFER, message)
        sluice_curl_set_long(handle, CURLOPT_NOSIGNAL, 1)
        sluice_curl_set_string(handle, CURLOPT_PROTOCOLS_STR, "http,https")
        sluice_curl_set_string(handle, CURLOPT_USERAGENT, transport.userAgent)
        if !request.isIdempotent { sluice_curl_send_once(handle) }
        setConnection(request, isOwn: transport.usesOwnConnection)
        setTrust(transport.tls)
        setProxy(transport.proxy, for: request)
        setRequest(request, serverName: transport.tls.serverName)
    }

    private func setConnection(_ request: HTTPRequest, isOwn: Bool) {
        if isOwn {
            // libcurl shares a connection only among requests with the same TLS settings. Naming OpenSSL's own default
            // changes nothing else. Wanting HTTP/1.1 would not do: such a request of 7.88's was once seen to be put on
            // a connection that spoke HTTP/2 ("Received HTTP/0.9 when not allowed").
            sluice_curl_set_string(
                handle, CURLOPT_TLS13_CIPHERS,
                "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256")
        }
        sluice_curl_set_long(handle, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS))
        // Over TLS the handshake tells whether connections can be shared. Without it libcurl would wait for the first answer,
        // and a slow one would keep all other requests to that server from being sent.
        sluice_curl_set_long(handle, CURLOPT_PIPEWAIT, request.url.lowercased().hasPrefix("https:") ? 1 : 0)
        sluice_curl_set_long(handle, CURLOPT_MAXLIFETIME_CONN, 600)
        sluice_curl_set_long(handle, CURLOPT_TCP_KEEPALIVE, 1)
        sluice_curl_set_long(handle, CURLOPT_TCP_KEEPIDLE, 30)
        sluice_curl_set_long(handle, CURLOPT_TCP_KEEPINTVL, 10)
        sluice_curl_set_user_timeout(handle)
        sluice_curl_set_long(handle, CURLOPT_CONNECTTIMEOUT_MS, 10_000)
        if let total = request.total {
            sluice_curl_set_long(handle, CURLOPT_TIMEOUT_MS, max(1, Int(total / .milliseconds(1))))
        }
    }

    private func setTrust(_ tls: TLSSettings) {
        if tls.skipsVerification {
            sluice_curl_set_long(handle, CURLOPT_SSL_VERIFYPEER, 0)
            sluice_curl_set_long(handle, CURLOPT_SSL_VERIFYHOST, 0)
        }
        if let authority = tls.certificateAuthority {
            sluice_curl_set_blob(handle, CURLOPT_CAINFO_BLOB, authority, authority.count)
            sluice_curl_set_string(handle, CURLOPT_CAPATH, nil)
        }
        if let client = tls.identity {
            sluice_curl_set_string(handle, CURLOPT_SSLCERTTYPE, "PEM")
            sluice_curl_set_string(handle, CURLOPT_SSLKEYTYPE, "PEM")
            sluice_curl_set_blob(handle, CURLOPT_SSLCERT_BLOB, client.certificate, client.certificate.count)
            sluice_curl_set_blob(handle, CURLOPT_SSLKEY_BLOB, client.key, client.key.count)
        }
    }

    private func setProxy(_ proxy: HTTPProxy, for request: HTTPRequest) {
        let (url, exceptions) = proxy.options(for: URLComponents(string: request.url)?.host ?? "")
        if let url { sluice_curl_set_string(handle, CURLOPT_PROXY, url) }
        if let exceptions { sluice_curl_set_string(handle, CURLOPT_NOPROXY, exceptions) }
        // What the proxy says is not the server's answer.
        sluice_curl_set_long(handle, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
    }

    private func setRequest(_ request: HTTPRequest, serverName: String?) {
        var url = request.url
        var lines = request.headers.map { "\($0.name): \($0.value)" }
        // libcurl takes the name for SNI and for the certificate from the URL: put it there, and connect elsewhere.
        if let name = serverName, var parts = URLComponents(string: request.url),
            let host = parts.host
        {
            let port = parts.port ?? 443
            connectTo = curl_slist_append(nil, "\(name):\(port):\(host):\(port)")
            sluice_curl_set_list(handle, CURLOPT_CONNECT_TO, connectTo)
            lines.append("Host: \(host):\(port)")
            parts.host = name
            url = parts.string ?? url
        }
        sluice_curl_set_string(handle, CURLOPT_URL, url)
        sluice_curl_set_string(handle, CURLOPT_CUSTOMREQUEST, request.method)
        if let body = request.body {
            sluice_curl_set_large(handle, CURLOPT_POSTFIELDSIZE_LARGE, body.count)
            body.withUnsafeBytes { bytes in
                _ = sluice_curl_set_pointer(
                    handle, CURLOPT_COPYPOSTFIELDS, UnsafeMutableRawPointer(mutating: bytes.baseAddress))
            }
            lines.append("Expect:")
        }
        for line in lines { headers = curl_slist_append(headers, line) }
        sluice_curl_set_list(handle, CURLOPT_HTTPHEADER, headers)
    }

    /// Has libcurl hand what arrives to the ``Transfer`` behind `context`, which must outlive the transfer.
    func deliver(to context: UnsafeMutableRawPointer) {
        sluice_curl_set_pointer(handle, CURLOPT_WRITEDATA, context)
        sluice_curl_set_pointer(handle, CURLOPT_HEADERDATA, context)
        sluice_curl_set_write(handle, CURLOPT_WRITEFUNCTION) { bytes, _, count, context in
            nonisolated(unsafe) let (bytes, context) = (bytes, context)
            return EventLoop.assumeIsolated {
                let transfer = Unmanaged<Transfer>.fromOpaque(context!).takeUnretainedValue()
                return transfer.receive(body: UnsafeRawBufferPointer(start: bytes, count: count)) ? count : 0
            }
        }
        sluice_curl_set_write(handle, CURLOPT_HEADERFUNCTION) { bytes, _, count, context in
            nonisolated(unsafe) let (bytes, context) = (bytes, context)
            EventLoop.assumeIsolated {
                let transfer = Unmanaged<Transfer>.fromOpaque(context!).takeUnretainedValue()
                let line = String(decoding: UnsafeRawBufferPointer(start: bytes, count: count), as: UTF8.self)
                transfer.receive(header: line.trimmingCharacters(in: .whitespacesAndNewlines))
            }
            return count
        }
    }

    /// What the end of the transfer with `code` means; nil when all is well.
    func error(_ code: UInt32, request: HTTPRequest) -> HTTPError? {
        guard code != CURLE_OK.rawValue else { return nil }
        var number = 0
        sluice_curl_get_long(handle, CURLINFO_OS_ERRNO, &number)
        var sent = 0
        sluice_curl_get_long(handle, CURLINFO_REQUEST_SIZE, &sent)
        let kind: HTTPError.Code =
            switch CURLcode(code) {
            case CURLE_COULDNT_CONNECT where number == Int(ECONNREFUSED) && sent == 0: .refused
            case CURLE_OPERATION_TIMEDOUT: .timeout
            case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CACERT_BADFILE: .certificate
            default: .connection
            }
        let detail = String(cString: message)
        var text = detail.isEmpty ? String(cString: curl_easy_strerror(CURLcode(code))) : detail
        if sent > 0, !request.isIdempotent {
            // That it was not allowed to send it again, or that nobody listens any more, is not what went wrong first.
            if kind == .connection { text = "the connection ended before the whole answer" }
            text += "; whether the server has done it is not known"
        }
        return HTTPError(kind, "\(request.name): \(text)", mayHaveArrived: sent > 0)
    }

    /// Gives everything back. The handle must be out of the loop. May be repeated.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        curl_easy_cleanup(handle)
        curl_slist_free_all(headers)
        curl_slist_free_all(connectTo)
        message.deallocate()
    }
}
