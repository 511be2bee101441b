//! Generates messages and services from `proto/heqi.proto`, without an installed protobuf compiler.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto/heqi.proto");
    let files = protox::compile(["heqi.proto"], ["proto"])?;
    tonic_prost_build::configure().build_transport(false).compile_fds(files)?;
    Ok(())
}
