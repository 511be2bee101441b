//! Instrumentation, version 1: the module that is kept is the deployed one with its meters, and nothing that is not needed.
//!
//! Two globals and one function are added behind all others, so that no index changes. Custom sections and exports that
//! nobody reads are left out, sections stand in the order of the standard, and the memory's maximum is cut to the limit.

use wasm_encoder::{
    CodeSection, ConstExpr, DataCountSection, DataSection, ElementSection, ExportKind, ExportSection, FunctionSection,
    GlobalSection, GlobalType, ImportSection, MemorySection, Module, TableSection, TypeSection, ValType,
    reencode::{Reencode, RoundtripReencoder},
};
use wasmparser::{FunctionBody, MemorySectionReader, Payload};

use super::{
    MAX_PAGES,
    body::Added,
    check::{Checked, INVALID, Words, invalid, parser},
    interface,
};
use crate::MAX_CODE;

/// Longest instrumented code, in bytes.
const MAX_STORED: usize = 4 * MAX_CODE;

#[derive(Default)]
struct Sections {
    types: TypeSection,
    imports: ImportSection,
    functions: FunctionSection,
    tables: TableSection,
    memories: MemorySection,
    globals: GlobalSection,
    elements: ElementSection,
    data_count: Option<u32>,
    bodies: CodeSection,
    data: DataSection,
}

/// Writes the meters into a module that passed the check.
pub(super) fn instrument(code: &[u8], checked: &Checked) -> Result<Vec<u8>, Words> {
    let added = Added::new(checked)?;
    let mut sections = Sections::default();
    for payload in parser().parse_all(code) {
        sections.take(payload.map_err(invalid)?, checked, &added)?;
    }
    sections.add(&added)?;
    let bytes = sections.module(checked, &added)?.finish();
    if bytes.len() > MAX_STORED { Err("the instrumented code is longer than allowed") } else { Ok(bytes) }
}

impl Sections {
    /// Copies a section.
    fn take(&mut self, payload: Payload<'_>, checked: &Checked, added: &Added) -> Result<(), Words> {
        let mut same = RoundtripReencoder;
        match payload {
            Payload::TypeSection(section) => same.parse_type_section(&mut self.types, section),
            Payload::ImportSection(section) => same.parse_import_section(&mut self.imports, section),
            Payload::FunctionSection(section) => same.parse_function_section(&mut self.functions, section),
            Payload::TableSection(section) => same.parse_table_section(&mut self.tables, section),
            Payload::MemorySection(section) => return self.memory(section),
            Payload::GlobalSection(section) => same.parse_global_section(&mut self.globals, section),
            Payload::ElementSection(section) => same.parse_element_section(&mut self.elements, section),
            Payload::DataCountSection { count, .. } => {
                self.data_count = Some(count);
                return Ok(());
            }
            Payload::CodeSectionEntry(body) => return self.body(&body, checked, added),
            Payload::DataSection(section) => same.parse_data_section(&mut self.data, section),
            _ => return Ok(()),
        }
        .map_err(invalid)
    }

    fn memory(&mut self, section: MemorySectionReader<'_>) -> Result<(), Words> {
        for memory in section {
            let mut ty = RoundtripReencoder.memory_type(memory.map_err(invalid)?).map_err(invalid)?;
            ty.maximum = Some(ty.maximum.map_or(MAX_PAGES, |pages| pages.min(MAX_PAGES)));
            self.memories.memory(ty);
        }
        Ok(())
    }

    fn body(&mut self, body: &FunctionBody<'_>, checked: &Checked, added: &Added) -> Result<(), Words> {
        let defined = checked.defined.get(self.bodies.len() as usize).ok_or(INVALID)?;
        self.bodies.function(&added.function(checked, defined, body)?);
        Ok(())
    }

    /// Adds the meters' own types, globals and function.
    fn add(&mut self, added: &Added) -> Result<(), Words> {
        self.types.ty().function([ValType::I32, ValType::I32, ValType::I32], [ValType::I32]);
        let mut blocks = added.blocks.iter().map(|(results, index)| (*index, results)).collect::<Vec<_>>();
        blocks.sort_by_key(|(index, _)| *index);
        for (_, results) in blocks {
            let results = RoundtripReencoder.val_types(results.clone()).map_err(invalid)?;
            self.types.ty().function([], results);
        }
        self.functions.function(added.charge_type);
        self.bodies.function(&added.charging());
        self.globals.global(variable(ValType::I64), &ConstExpr::i64_const(0));
        self.globals.global(variable(ValType::I32), &ConstExpr::i32_const(0));
        Ok(())
    }

    fn module(&self, checked: &Checked, added: &Added) -> Result<Module, Words> {
        let mut exports = ExportSection::new();
        exports.export(interface::DEPLOY, ExportKind::Func, checked.deploy.ok_or(INVALID)?);
        exports.export(interface::CALL, ExportKind::Func, checked.call.ok_or(INVALID)?);
        exports.export(interface::MEMORY, ExportKind::Memory, 0);
        exports.export(interface::GAS, ExportKind::Global, added.gas);
        exports.export(interface::STACK, ExportKind::Global, added.stack);
        let mut module = Module::new();
        module.section(&self.types);
        if !self.imports.is_empty() {
            module.section(&self.imports);
        }
        module.section(&self.functions);
        if !self.tables.is_empty() {
            module.section(&self.tables);
        }
        module.section(&self.memories).section(&self.globals).section(&exports);
        if !self.elements.is_empty() {
            module.section(&self.elements);
        }
        if let Some(count) = self.data_count {
            module.section(&DataCountSection { count });
        }
        module.section(&self.bodies);
        if !self.data.is_empty() {
            module.section(&self.data);
        }
        Ok(module)
    }
}

fn variable(val_type: ValType) -> GlobalType {
    GlobalType { val_type, mutable: true, shared: false }
}
