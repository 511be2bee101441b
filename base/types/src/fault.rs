//! What went wrong, told once: a code, the party, the step, and the remedy in Chinese and English.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::OrgId;

macro_rules! codes {
    ($($variant:ident $code:literal $en:literal $en_remedy:literal $zh:literal $zh_remedy:literal)*) => {
        /// Every fault the platform reports. The number is stable; the first digit names the room.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Code { $(#[doc = $en] $variant,)* }

        impl Code {
            /// All codes, for the documentation and its test.
            pub const ALL: &'static [Code] = &[$(Code::$variant),*];
            /// The stable number, such as `HQ-1001`.
            pub fn number(self) -> &'static str { match self { $(Code::$variant => $code,)* } }
            /// What happened.
            pub fn title(self, zh: bool) -> &'static str {
                match self { $(Code::$variant => if zh { $zh } else { $en },)* }
            }
            /// What to do.
            pub fn remedy(self, zh: bool) -> &'static str {
                match self { $(Code::$variant => if zh { $zh_remedy } else { $en_remedy },)* }
            }
        }
    };
}

codes! {
    SourceMissing "HQ-1001" "the source cannot be opened" "check the path or address with `heqi source test`" "数据源无法打开" "用 `heqi source test` 检查路径或地址"
    SourceDelimiter "HQ-1002" "the file has one column only: wrong delimiter?" "name the delimiter with --delimiter" "文件只有一列，分隔符可能不对" "用 --delimiter 指明分隔符"
    SourceEncoding "HQ-1003" "the file is not valid text in the stated encoding" "name the encoding with --encoding (utf-8 or gb18030)" "文件不是所述编码的有效文本" "用 --encoding 指明编码（utf-8 或 gb18030）"
    SourceMixedTypes "HQ-1004" "a column mixes types" "clean the named row or register the column as text" "某列混有多种类型" "清理所指的行，或把该列登记为文本"
    SourceChanged "HQ-1005" "the source no longer fits its registration" "register the source again with `heqi source add`" "数据源与登记不符" "用 `heqi source add` 重新登记"
    RangeOverflow "HQ-1006" "a value lies outside its declared range" "correct the value or register the source again" "数值超出登记的范围" "更正数值或重新登记数据源"
    SourceColumn "HQ-1007" "the source has no such column" "list the columns with `heqi source list`" "数据源没有该列" "用 `heqi source list` 查看列"
    KeyNotUnique "HQ-1008" "a join key occurs several times where one row of it is asked for" "ask for no column of that data set, or register it with one row a key" "某个连接键出现多次，而查询只能取其一行" "不要查询该数据集的列，或按每键一行重新登记"
    QuerySyntax "HQ-2001" "the query cannot be read" "correct the query at the place shown" "查询语句无法解析" "在所示位置更正查询"
    QueryUnsupported "HQ-2002" "the query uses what is not supported" "rewrite the query as the message says" "查询使用了不支持的写法" "按提示改写查询"
    QueryUnknownName "HQ-2003" "the query names an unknown table or column" "see the catalogue with `heqi source list --all`" "查询引用了未知的表或列" "用 `heqi source list --all` 查看目录"
    QueryOverflow "HQ-2004" "the result could overflow the declared ranges" "narrow the ranges or the expression" "结果可能超出范围" "缩小范围或简化表达式"
    RuleForbids "HQ-3001" "a rule forbids this use" "ask the owner for the grant named in the message" "规则不允许这种使用" "向所有者申请提示中的授权"
    ApprovalMissing "HQ-3002" "an approval is missing" "ask the party to approve with `heqi approve`" "缺少批准" "请该方用 `heqi approve` 批准"
    ProposalChanged "HQ-3003" "the proposal differs from what was approved" "submit the query again" "提案与批准的内容不一致" "重新提交查询"
    ProposalExpired "HQ-3004" "the proposal has expired" "submit the query again" "提案已过期" "重新提交查询"
    Rejected "HQ-3005" "a party rejected the proposal" "talk to the party, then submit again" "有一方拒绝了提案" "与该方沟通后重新提交"
    Cancelled "HQ-3006" "a party called the job off" "talk to the party, then submit again" "有一方取消了任务" "与该方沟通后重新提交"
    PeerSilent "HQ-4001" "a party did not answer in time" "check that the party's node runs and is reachable" "一方未在时限内响应" "检查该方节点是否运行、可达"
    PeerGone "HQ-4002" "a party closed the connection" "check the party's node, then submit again" "一方断开了连接" "检查该方节点后重新提交"
    PeerMisbehaved "HQ-4003" "a party sent what the protocol does not allow" "report the evidence to the party's organisation" "一方发送了协议不允许的内容" "把证据报告给该方所在组织"
    CertificateInvalid "HQ-4004" "the certificate is not valid" "renew the certificate at the organisation's CA" "证书无效" "在本组织 CA 更新证书"
    CertificateExpired "HQ-4005" "the certificate has expired" "renew the certificate at the organisation's CA" "证书已过期" "在本组织 CA 更新证书"
    Busy "HQ-4006" "a party's node has no room for the run now" "submit again later" "一方的节点目前没有余量运行该任务" "稍后重新提交"
    DiskFull "HQ-5001" "the disk is full" "free space and start again: nothing is lost" "磁盘已满" "清理空间后重新启动，数据不会丢失"
    FolderInUse "HQ-5002" "another process uses this folder" "stop the other process or choose another folder" "该目录正被另一进程使用" "停止另一进程或换一个目录"
    StorageDamaged "HQ-5003" "stored data is damaged" "restore the folder from a peer or a backup" "存储的数据已损坏" "从其他节点或备份恢复"
    NoQuorum "HQ-5004" "the ledger has no quorum" "start the validators that are down" "账本未达到法定数量" "启动停止的验证节点"
    TransactionRefused "HQ-5005" "the ledger refused the transaction" "see the reason in the message" "账本拒绝了该交易" "见提示中的原因"
    PortInUse "HQ-5006" "another program listens on this address" "stop the other program or change the address in node.toml" "该地址正被另一程序使用" "停止另一程序，或在 node.toml 中更改地址"
    RunTooLarge "HQ-5007" "the run takes more memory than the node gives to runs" "ask for fewer rows or values, or have runs_memory_mib raised in that node's node.toml" "运行所需内存超过该节点给运行的内存" "减少行数或取值，或请该节点调高 node.toml 中的 runs_memory_mib"
    EvidenceInvalid "HQ-6001" "the evidence does not hold" "ask for the bundle again and verify against the pinned genesis" "证据不成立" "重新获取证据包，并对照创世哈希校验"
    WrongPassword "HQ-7001" "the password or key file is wrong" "try again with the right password" "口令或密钥文件不正确" "用正确的口令重试"
    NotAllowed "HQ-7002" "this person may not do that" "ask the organisation's administrator for the role" "该人员无此权限" "向本组织管理员申请角色"
    BadRequest "HQ-7003" "the request is malformed" "see the command's --help" "请求格式不正确" "参见命令的 --help"
    NotFound "HQ-7004" "there is no such thing" "list what there is and check the name" "找不到该对象" "列出现有对象并核对名称"
    Internal "HQ-9001" "the program met a state it does not expect" "report this message with the log" "程序遇到意外状态" "请把此信息连同日志上报"
}

/// A fault: what, who, at which step, and the detail that only this occurrence has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What happened.
    pub code: Code,
    /// The party it happened at or because of.
    pub party: Option<OrgId>,
    /// The step, such as `read health/visits` or `join`.
    pub step: String,
    /// What only this occurrence tells; never a value from a source.
    pub detail: String,
}

impl Fault {
    /// A fault without a party.
    pub fn new(code: Code, step: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { code, party: None, step: step.into(), detail: detail.into() }
    }
    /// Names the party.
    #[must_use]
    pub fn at(mut self, party: &OrgId) -> Self {
        self.party = Some(party.clone());
        self
    }
    /// The whole sentence in Chinese or English.
    pub fn tell(&self, zh: bool) -> String {
        let party = self.party.as_ref().map_or("-", OrgId::as_str);
        let (number, title, remedy) = (self.code.number(), self.code.title(zh), self.code.remedy(zh));
        let (colon, step) = (if zh { "：" } else { ": " }, &self.step);
        // A detail that only says the title again tells nothing.
        let detail = if self.detail == self.code.title(false) { "" } else { &self.detail };
        let colon = if detail.is_empty() { "" } else { colon };
        if zh {
            format!("{number} {title}{colon}{detail}（方：{party}；步骤：{step}）。办法：{remedy}")
        } else {
            format!("{number} {title}{colon}{detail} (party: {party}; step: {step}). Remedy: {remedy}")
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.tell(false))
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_one_number_and_both_languages() {
        let mut numbers: Vec<_> = Code::ALL.iter().map(|c| c.number()).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), Code::ALL.len());
        for code in Code::ALL {
            assert!(!code.title(false).is_empty() && !code.remedy(true).is_empty());
            assert!(!code.title(true).is_ascii(), "{code:?} has no Chinese");
        }
    }
}
