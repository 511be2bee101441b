//! The interface's OpenAPI description, gathered from the handlers themselves.

use utoipa::{
    Modify, OpenApi,
    openapi::security::{ApiKey, ApiKeyValue, SecurityRequirement, SecurityScheme},
};

use crate::routes::{alarms, catalogue, chain, evidence, happenings, jobs, login, open, queries, stats, transactions};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Heqi",
        description = "The portal's interface. Calls need the session cookie of /login; calls that change something \
                       need the header X-Heqi: 1 as well."
    ),
    paths(
        login::login,
        login::end,
        open::health,
        open::openapi,
        stats::me,
        stats::stats,
        alarms::alarms,
        catalogue::catalogue,
        catalogue::test_source,
        catalogue::prepare_source,
        catalogue::prepare_rules,
        queries::check,
        queries::prepare,
        queries::prepare_approval,
        queries::prepare_cancel,
        transactions::submit,
        jobs::list,
        jobs::one,
        jobs::result,
        jobs::events,
        evidence::of_job,
        evidence::bundle,
        evidence::verify,
        chain::chain,
        chain::blocks,
        chain::block,
        chain::transaction,
        chain::events,
        happenings::page,
        happenings::socket,
    ),
    modifiers(&Session)
)]
struct Interface;

struct Session;

impl Modify for Session {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("heqi-session")));
        openapi.components.get_or_insert_default().add_security_scheme("session", cookie);
        openapi.security = Some(vec![SecurityRequirement::new("session", Vec::<String>::new())]);
    }
}

/// The description that `/api/openapi.json` answers with.
pub fn document() -> utoipa::openapi::OpenApi {
    Interface::openapi()
}
