internal import Crypto
internal import KubernetesClient

/// Tells one pod template from another: 16 hexadecimal digits of SHA-256 over its JSON with sorted keys.
///
/// `sluice.dev/bypass` is left out: taking it away again starts a rollout of the same pods, which were let through.
enum TemplateHash {
    static func of(_ template: PodTemplate) -> String {
        var template = template
        template.metadata?.annotations?[SluiceName.bypass] = nil
        let text = (try? JSONValue(encoding: template))?.text ?? ""
        return SHA256.hash(data: Array(text.utf8)).prefix(8).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }
}
