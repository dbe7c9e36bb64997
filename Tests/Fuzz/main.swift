import Glibc

/// Fuzzes one decoder with libFuzzer, whose options the arguments are; `ROLECALL_FUZZ` names the decoder. With
/// `--seeds FOLDER` it writes valid input there, to begin with; without a decoder's name it prints those that there are.
@_silgen_name("LLVMFuzzerRunDriver")
func runFuzzer(
    _ argumentCount: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ testOneInput: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

guard let name = getenv("ROLECALL_FUZZ").map({ String(cString: $0) }),
    let decoder = Decoder.all.first(where: { $0.name == name })
else {
    for decoder in Decoder.all { print(decoder.name) }
    exit(0)
}
if CommandLine.arguments.count == 3, CommandLine.arguments[1] == "--seeds" {
    for (index, seed) in decoder.seeds.enumerated() {
        guard let file = fopen("\(CommandLine.arguments[2])/seed-\(index)", "w") else { exit(1) }
        fwrite(seed, 1, seed.count, file)
        fclose(file)
    }
    exit(0)
}
/// A function of C captures nothing.
let check = decoder.check
var count = CommandLine.argc
var arguments = CommandLine.unsafeArgv
exit(
    runFuzzer(&count, &arguments) { bytes, count in
        check(UnsafeRawBufferPointer(start: bytes, count: count))
        return 0
    })
