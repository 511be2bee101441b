//! The people at the command line: each looks at the own organisation's node and signs with the own key.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use serde_json::Value;

use super::{ORGS, PASSWORD, PEOPLE_PASSWORD, Told, heqi, run};

/// Where a consortium's folders, keys and passwords are.
#[derive(Clone)]
pub struct People(PathBuf);

fn org_of(person: &str) -> &str {
    person.split('/').next().expect("org/name")
}

impl People {
    /// The people of a consortium in this folder.
    pub fn new(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    /// A place in the test's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A node's folder.
    pub fn dir(&self, org: &str) -> PathBuf {
        self.path(org)
    }

    /// The file with the nodes' password.
    pub fn password(&self) -> PathBuf {
        self.path("password")
    }

    /// The file with the people's password.
    pub fn people_password(&self) -> PathBuf {
        self.path("people-password")
    }

    /// Writes both files.
    pub fn write_passwords(&self) {
        fs::write(self.password(), PASSWORD).expect("written");
        fs::write(self.people_password(), format!("{PEOPLE_PASSWORD}\n")).expect("written");
    }

    /// How long every node lets a party be silent.
    pub fn set_silence(&self, seconds: u32) {
        for org in ORGS {
            let path = self.dir(org).join("node.toml");
            let text = fs::read_to_string(&path).expect("node.toml");
            let changed = text.replace("silence_seconds = 20", &format!("silence_seconds = {seconds}"));
            assert_ne!(text, changed);
            fs::write(path, changed).expect("written");
        }
    }

    /// The command that runs an organisation's node.
    pub fn node_command(&self, org: &str) -> Command {
        let mut command = heqi();
        command.args(["node", "--until-input-ends", "--dir"]).arg(self.dir(org));
        command.arg("--password-file").arg(self.password());
        command
    }

    /// A command that only looks, as a person at the person's own node: `query status …`.
    pub fn look(&self, person: &str, arguments: &[&str]) -> Told {
        let mut command = heqi();
        command.args(arguments).arg("--dir").arg(self.dir(org_of(person))).args(["--as", person]);
        run(&mut command)
    }

    /// A command that the person signs.
    pub fn sign(&self, person: &str, arguments: &[&str]) -> Told {
        run(&mut self.signed(person, arguments))
    }

    /// The same, not yet run.
    pub fn signed(&self, person: &str, arguments: &[&str]) -> Command {
        let mut command = heqi();
        command.args(arguments).arg("--dir").arg(self.dir(org_of(person)));
        command.arg("--key").arg(self.path("people").join(format!("{}.key.json", person.replace('/', "-"))));
        command.arg("--password-file").arg(self.people_password());
        command
    }

    /// Several people vote for a change, at the same time.
    pub fn vote(&self, change: &str, voters: &[&str]) {
        thread::scope(|scope| {
            for voter in voters {
                scope.spawn(move || self.sign(voter, &["chain", "vote", change]).good());
            }
        });
    }

    /// What is wrong in a node's folder.
    pub fn doctor(&self, org: &str) -> Told {
        run(heqi().args(["doctor", "--dir"]).arg(self.dir(org)))
    }

    /// How the ledger of a node is.
    pub fn chain(&self, org: &str) -> Value {
        self.look(&format!("{org}/operator"), &["chain", "status"]).good()
    }

    /// The height of a node.
    pub fn height(&self, org: &str) -> u64 {
        self.chain(org)["height"].as_u64().expect("a height")
    }
}
