// Compiles the contracts beside this file; see README.md.
const fs = require("fs");
const path = require("path");
const solc = require("solc");

const read = (name) => ({ content: fs.readFileSync(path.join(__dirname, name), "utf8") });
const input = {
  language: "Solidity",
  sources: { "Token.sol": read("Token.sol"), "Probe.sol": read("Probe.sol") },
  settings: {
    evmVersion: "osaka",
    optimizer: { enabled: true, runs: 200 },
    metadata: { appendCBOR: false, bytecodeHash: "none" },
    outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
  },
};
const output = JSON.parse(solc.compile(JSON.stringify(input)));
const bad = (output.errors || []).filter((e) => e.severity === "error");
if (bad.length > 0) throw new Error(bad.map((e) => e.formattedMessage).join("\n"));
for (const name of ["Token", "Probe"]) {
  const { abi, evm } = output.contracts[`${name}.sol`][name];
  fs.writeFileSync(path.join(__dirname, `${name}.hex`), evm.bytecode.object + "\n");
  fs.writeFileSync(path.join(__dirname, `${name}.abi.json`), JSON.stringify(abi) + "\n");
}
