//! A party whose certificate has expired.

use std::{collections::BTreeMap, time::Duration};

use base_types::fault::Code;

use crate::{
    common::{
        NODES,
        cluster::{Cluster, Ended},
        job::{Start, plan},
        org,
    },
    stage::{SQL, sources},
    verdict::noted,
};

/// How all three end when the named one's certificate ended yesterday.
async fn with_expired(expired: &'static str) -> Vec<Ended> {
    let folder = tempfile::tempdir().expect("a folder");
    let sources = sources(folder.path()).await;
    let cluster = Cluster::with_certificates(sources, &BTreeMap::from([(expired, -1)])).await;
    let plan = plan(&cluster.sources, SQL);
    // Long enough for the first handshakes of three such clusters at once on a slow machine.
    cluster.run(&plan, Start::first(), Duration::from_secs(5)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_certificate_opens_no_link_and_is_named_in_a_receipt() {
    let runs = NODES.map(|expired| (expired, tokio::spawn(with_expired(expired))));
    for (expired, run) in runs {
        let mut told = Vec::new();
        for party in run.await.expect("no panic") {
            let fault = party.result.clone().expect_err("no session");
            assert!(matches!(fault.code, Code::CertificateExpired | Code::PeerSilent | Code::PeerGone), "{fault}");
            assert_eq!(fault.step, "open links", "{fault}");
            noted(&party, &fault);
            told.push((party.org, fault));
        }
        assert!(told.iter().any(|(_, fault)| fault.code == Code::CertificateExpired), "{told:?}");
        // Whoever dials the party with the expired certificate, or waits for it, names it.
        let honest = told.iter().filter(|(party, _)| *party != org(expired));
        assert!(honest.into_iter().any(|(_, fault)| fault.party == Some(org(expired))), "{told:?}");
    }
}
