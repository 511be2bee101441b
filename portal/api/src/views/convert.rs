//! Between the notary's terms and what pages show: sources, rules, types.

use base_types::{
    DatasetId, OrgId,
    column::{ColumnMeta, ColumnType},
    fault::{Code, Fault},
};
use notary_terms::{ApprovalMode, Rule, RuleSet, Source, Use};

use super::{ColumnView, RuleSetView, RuleView, SourceView};

const USES: [Use; 8] = [
    Use::Plaintext,
    Use::AfterJoin,
    Use::JoinPayload,
    Use::AfterGroupBy,
    Use::AfterAggregate,
    Use::AfterCompare,
    Use::EncryptedOnly,
    Use::Program,
];

/// The word for a type.
fn type_word(ty: ColumnType) -> String {
    match ty {
        ColumnType::Int => "int".to_owned(),
        ColumnType::Decimal { scale } => format!("decimal({scale})"),
        ColumnType::Text => "text".to_owned(),
        ColumnType::Bool => "bool".to_owned(),
        ColumnType::Date => "date".to_owned(),
    }
}

/// A word of a column as people write it, without ever being a float.
fn word_text(word: i64, scale: u8) -> String {
    let digits = word.unsigned_abs().to_string();
    let sign = if word < 0 { "-" } else { "" };
    if scale == 0 {
        return format!("{sign}{digits}");
    }
    let padded = format!("{digits:0>width$}", width = usize::from(scale) + 1);
    let (whole, part) = padded.split_at(padded.len() - usize::from(scale));
    format!("{sign}{whole}.{part}")
}

impl SourceView {
    /// A source of the catalogue; `me` is this node's organisation.
    pub fn of(source: &Source, rules: Option<&RuleSet>, me: &OrgId) -> Self {
        let owner = source.dataset.owner();
        Self {
            dataset: source.dataset.to_string(),
            own: owner == *me,
            owner: owner.to_string(),
            title: source.title.clone(),
            kind: source.kind.clone(),
            rows_bound: source.rows_bound,
            columns: source.columns.iter().map(|meta| ColumnView::of(source, meta)).collect(),
            rules: rules.map(RuleSetView::from),
        }
    }
}

impl ColumnView {
    fn of(source: &Source, meta: &ColumnMeta) -> Self {
        let class = source.classes.iter().find(|c| c.column == meta.name);
        Self {
            name: meta.name.clone(),
            ty: type_word(meta.ty),
            nullable: meta.nullable,
            unique: meta.unique,
            min: word_text(meta.min, meta.ty.scale()),
            max: word_text(meta.max, meta.ty.scale()),
            class: class.map(|c| c.class.clone()),
            grade: class.map(|c| c.grade),
        }
    }
}

impl super::FoundColumn {
    /// What a source's test found out about a column.
    pub fn of(meta: &ColumnMeta, nulls: u64) -> Self {
        let (min, max) = (word_text(meta.min, meta.ty.scale()), word_text(meta.max, meta.ty.scale()));
        Self { name: meta.name.clone(), ty: type_word(meta.ty), nulls, unique: meta.unique, min, max }
    }
}

impl From<&RuleSet> for RuleSetView {
    fn from(set: &RuleSet) -> Self {
        let RuleSet { dataset, approval, min_group, holders, rules } = set;
        let approval = match approval {
            ApprovalMode::Auto => "auto",
            ApprovalMode::Person => "person",
        };
        Self {
            dataset: dataset.to_string(),
            approval: approval.to_owned(),
            min_group: *min_group,
            holders: holders.iter().map(ToString::to_string).collect(),
            rules: rules.iter().map(RuleView::from).collect(),
        }
    }
}

impl From<&Rule> for RuleView {
    fn from(rule: &Rule) -> Self {
        let Rule { column, party, purpose, uses, expires, runs } = rule;
        Self {
            column: column.clone(),
            party: party.to_string(),
            purpose: purpose.clone(),
            uses: uses.iter().map(|u| u.word().to_owned()).collect(),
            expires: *expires,
            runs: *runs,
        }
    }
}

fn bad(detail: impl ToString) -> Fault {
    Fault::new(Code::BadRequest, "read rules", detail.to_string())
}

fn org(text: &str) -> Result<OrgId, Fault> {
    OrgId::new(text).map_err(bad)
}

impl TryFrom<RuleSetView> for RuleSet {
    type Error = Fault;

    fn try_from(view: RuleSetView) -> Result<Self, Fault> {
        let RuleSetView { dataset, approval, min_group, holders, rules } = view;
        let approval = match approval.as_str() {
            "auto" => ApprovalMode::Auto,
            "person" => ApprovalMode::Person,
            other => return Err(bad(format!("approval is 'auto' or 'person', not '{other}'"))),
        };
        Ok(Self {
            dataset: DatasetId::new(dataset).map_err(bad)?,
            approval,
            min_group,
            holders: holders.iter().map(|h| org(h)).collect::<Result<_, _>>()?,
            rules: rules.into_iter().map(Rule::try_from).collect::<Result<_, _>>()?,
        })
    }
}

impl TryFrom<RuleView> for Rule {
    type Error = Fault;

    fn try_from(view: RuleView) -> Result<Self, Fault> {
        let RuleView { column, party, purpose, uses, expires, runs } = view;
        let known = |word: &String| {
            let found = USES.into_iter().find(|u| u.word() == word);
            found.ok_or_else(|| bad(format!("'{word}' is not a use")))
        };
        let uses = uses.iter().map(known).collect::<Result<_, _>>()?;
        Ok(Self { column, party: org(&party)?, purpose, uses, expires, runs })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> RuleSetView {
        let rule = |uses: &[&str]| RuleView {
            column: "*".into(),
            party: "statistics".into(),
            purpose: "health-statistics".into(),
            uses: uses.iter().map(ToString::to_string).collect(),
            expires: 1_900_000_000_000,
            runs: 3,
        };
        RuleSetView {
            dataset: "health/visits".into(),
            approval: "person".into(),
            min_group: 5,
            holders: vec!["health".into(), "statistics".into()],
            rules: vec![rule(&USES.map(Use::word)), rule(&[])],
        }
    }

    #[test]
    fn rules_survive_the_way_to_the_notary_and_back() {
        let set = RuleSet::try_from(rules()).unwrap();
        assert_eq!(set.rules.first().map(|r| r.uses.len()), Some(USES.len()));
        assert_eq!(RuleSetView::from(&set), rules());
    }

    #[test]
    fn rules_with_unknown_words_are_refused() {
        let spoilt: [fn(&mut RuleSetView); 5] = [
            |r| r.approval = "never".into(),
            |r| r.dataset = "visits".into(),
            |r| r.holders.push("Not A Name".into()),
            |r| r.rules.iter_mut().for_each(|rule| rule.party = String::new()),
            |r| r.rules.iter_mut().for_each(|rule| rule.uses.push("sell".into())),
        ];
        for spoil in spoilt {
            let mut view = rules();
            spoil(&mut view);
            assert_eq!(RuleSet::try_from(view).map_err(|f| f.code), Err(Code::BadRequest));
        }
    }

    #[test]
    fn words_are_written_with_their_scale() {
        for (word, scale, text) in
            [(0, 0, "0"), (-7, 2, "-0.07"), (12345, 3, "12.345"), (i64::MIN, 0, "-9223372036854775808")]
        {
            assert_eq!(word_text(word, scale), text);
        }
    }
}
