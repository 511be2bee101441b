//! The command line's side of the portal's interface: asks the local node, and signs with the person's own key.

use std::{fs, path::Path, time::Duration};

use base_gm::sm2::SecretKey;
use base_types::{
    Digest,
    fault::{Code, Fault},
};
use base_wire::{Decode, Encode};
use ledger_light::Transaction;
use ledger_vm::notary::{Entry, EntryKind};
use serde_json::{Value, json};
use ureq::Agent;

use crate::config::{Config, Folder};

/// A person at the command line: the node it talks to and, for what is signed, the key.
pub struct Client {
    agent: Agent,
    base: String,
    token: String,
    person: String,
}

fn unreachable(step: &str, why: &dyn std::fmt::Display) -> Fault {
    Fault::new(Code::PeerGone, step, format!("the node's portal does not answer ({why}); is `heqi node` running?"))
}

impl Client {
    /// Talks to the node of a folder as `person`, by the folder's token.
    ///
    /// # Errors
    /// [`Code::NotFound`] when no node has run in the folder.
    pub fn local(folder: &Folder, person: &str) -> Result<Self, Fault> {
        let config = folder.read_config()?;
        let token = fs::read_to_string(folder.token()).map_err(|e| unreachable("find the node", &e))?;
        let config_agent =
            Agent::config_builder().timeout_global(Some(Duration::from_secs(120))).http_status_as_error(false).build();
        Ok(Self {
            agent: config_agent.into(),
            base: format!("http://{}", config.portal),
            token: token.trim().to_owned(),
            person: person.to_owned(),
        })
    }

    /// Whom it acts for.
    pub fn person(&self) -> &str {
        &self.person
    }

    /// GET, JSON back.
    ///
    /// # Errors
    /// The node's fault, or [`Code::PeerGone`].
    pub fn get(&self, path: &str) -> Result<Value, Fault> {
        let request = self.agent.get(format!("{}{path}", self.base));
        let request = request.header("Authorization", format!("Bearer {}", self.token));
        let response = request.header("X-Heqi-Person", &self.person).call();
        read(path, response)
    }

    /// GET, bytes back.
    ///
    /// # Errors
    /// The node's fault, or [`Code::PeerGone`].
    pub fn bytes(&self, path: &str) -> Result<Vec<u8>, Fault> {
        let request = self.agent.get(format!("{}{path}", self.base));
        let request = request.header("Authorization", format!("Bearer {}", self.token));
        let mut response = request.header("X-Heqi-Person", &self.person).call().map_err(|e| unreachable(path, &e))?;
        if !response.status().is_success() {
            return Err(read(path, Ok(response)).err().unwrap_or_else(|| unreachable(path, &"no reason given")));
        }
        let body = response.body_mut().with_config().limit(256 << 20);
        body.read_to_vec().map_err(|e| unreachable(path, &e))
    }

    /// POST of JSON, JSON back.
    ///
    /// # Errors
    /// The node's fault, or [`Code::PeerGone`].
    pub fn post(&self, path: &str, body: &Value) -> Result<Value, Fault> {
        let request = self.agent.post(format!("{}{path}", self.base));
        let request = request.header("Authorization", format!("Bearer {}", self.token)).header("X-Heqi", "1");
        let response = request.header("X-Heqi-Person", &self.person).send_json(body);
        read(path, response)
    }

    /// Prepares a change at the node, checks that it says what was meant, signs it here, and sends it.
    ///
    /// # Errors
    /// The node's fault; [`Code::ProposalChanged`] when the node prepared something else;
    /// [`Code::TransactionRefused`] when the ledger refused it.
    pub fn change(
        &self,
        path: &str,
        body: &Value,
        key: &SecretKey,
        kind: EntryKind,
        meant: &dyn Fn(&Entry) -> bool,
    ) -> Result<Value, Fault> {
        let prepared = self.post(path, body)?;
        let signed = sign(&prepared, key, kind, meant)?;
        let mut done = self.post("/api/transactions", &signed)?;
        if let Some(reason) = done.get("refusal").and_then(Value::as_str) {
            return Err(Fault::new(Code::TransactionRefused, path, reason));
        }
        if let (Some(done), Some(job)) = (done.as_object_mut(), prepared.get("job").filter(|j| !j.is_null())) {
            done.insert("job".into(), job.clone());
        }
        Ok(done)
    }
}

/// How the node of a folder is, or `None` when it does not answer; another program or node at its address is no answer.
pub fn health(config: &Config) -> Option<Result<(), Fault>> {
    let patient = Agent::config_builder().timeout_global(Some(Duration::from_secs(5))).http_status_as_error(false);
    let agent: Agent = patient.build().into();
    let response = agent.get(format!("http://{}/api/health", config.portal)).call();
    match read("/api/health", response) {
        Ok(health) => (health.get("org").and_then(Value::as_str) == Some(config.org.as_str())).then_some(Ok(())),
        Err(fault) => (fault.party.as_ref() == Some(&config.org)).then_some(Err(fault)),
    }
}

fn read(path: &str, response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Value, Fault> {
    let mut response = response.map_err(|e| unreachable(path, &e))?;
    let status = response.status();
    let text = response.body_mut().read_to_string().map_err(|e| unreachable(path, &e))?;
    let value: Value = serde_json::from_str(&text).unwrap_or(Value::String(text));
    if status.is_success() { Ok(value) } else { Err(fault_of(path, &value)) }
}

/// A fault as the portal writes it.
fn fault_of(path: &str, value: &Value) -> Fault {
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let number = text("number");
    let code = Code::ALL.iter().copied().find(|c| c.number() == number).unwrap_or(Code::Internal);
    let step = if text("step").is_empty() { path.to_owned() } else { text("step") };
    let detail = if text("detail").is_empty() { value.to_string() } else { text("detail") };
    let mut fault = Fault::new(code, step, detail);
    fault.party = text("party").parse().ok();
    fault
}

fn field<T: std::str::FromStr>(prepared: &Value, name: &str) -> Result<T, Fault> {
    let value = prepared.get(name);
    let text = value.map(|v| v.as_str().map_or_else(|| v.to_string(), ToOwned::to_owned)).unwrap_or_default();
    text.parse().map_err(|_| Fault::new(Code::BadRequest, "sign", format!("the node sent no {name}")))
}

fn hex_field(prepared: &Value, name: &str) -> Result<Vec<u8>, Fault> {
    let text: String = field(prepared, name)?;
    hex::decode(text).map_err(|_| Fault::new(Code::BadRequest, "sign", format!("{name} is not hexadecimal")))
}

/// Signs what a node prepared, once it is seen to be what was meant: no node may slip another entry under a person's key.
///
/// # Errors
/// [`Code::ProposalChanged`].
pub fn sign(
    prepared: &Value,
    key: &SecretKey,
    kind: EntryKind,
    meant: &dyn Fn(&Entry) -> bool,
) -> Result<Value, Fault> {
    let payload = hex_field(prepared, "payload")?;
    let entry = Entry::from_wire(&payload).map_err(|e| Fault::new(Code::BadRequest, "sign", e.to_string()))?;
    if entry.kind != kind || !meant(&entry) {
        let why = format!("asked for '{}', the node prepared another '{}'", kind.word(), entry.kind.word());
        return Err(Fault::new(Code::ProposalChanged, "sign", why));
    }
    let nonce: [u8; 16] = hex_field(prepared, "nonce")?
        .try_into()
        .map_err(|_| Fault::new(Code::BadRequest, "sign", "a nonce has 16 bytes"))?;
    let chain: Digest = field(prepared, "chain")?;
    let transaction = Transaction::sign(chain, key, nonce, field(prepared, "valid_until")?, payload);
    Ok(json!({
        "sender": transaction.sender.to_hex(),
        "nonce": hex::encode(transaction.nonce),
        "valid_until": transaction.valid_until,
        "payload": hex::encode(&transaction.payload),
        "signature": hex::encode(transaction.signature.to_wire()),
    }))
}

/// A person's key file with its password, from `HEQI_PASSWORD`, `password_file` or the terminal.
///
/// # Errors
/// [`Code::WrongPassword`].
pub fn person_key(path: &Path, password_file: Option<&Path>) -> Result<(String, SecretKey), Fault> {
    crate::config::read_key(path, &crate::cli::password(password_file, "HEQI_PASSWORD", &path.display().to_string())?)
}
