//! SM3 (GB/T 32905) of many messages at once, a message a lane.

use ::sm3::Digest as _;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod lanes;

/// Fewer messages of one length than this are hashed one after the other.
const WORTH: usize = 3;

/// How many messages the processor hashes side by side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Width {
    One,
    #[cfg(target_arch = "x86_64")]
    Eight,
    #[cfg(target_arch = "x86_64")]
    Sixteen,
}

impl Width {
    fn of_this_processor() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if std::arch::is_x86_feature_detected!("avx512f") && std::arch::is_x86_feature_detected!("avx512bw") {
                return Self::Sixteen;
            }
            if std::arch::is_x86_feature_detected!("avx2") {
                return Self::Eight;
            }
        }
        Self::One
    }

    fn lanes(self) -> usize {
        match self {
            Self::One => 1,
            #[cfg(target_arch = "x86_64")]
            Self::Eight => 8,
            #[cfg(target_arch = "x86_64")]
            Self::Sixteen => 16,
        }
    }

    /// Hashes up to [`Width::lanes`] messages with equally many blocks.
    fn hash(self, messages: &[&[u8]]) -> Vec<[u8; 32]> {
        match self {
            Self::One => messages.iter().map(|message| plain(message)).collect(),
            #[cfg(target_arch = "x86_64")]
            Self::Eight => avx2::hash(messages),
            #[cfg(target_arch = "x86_64")]
            Self::Sixteen => avx512::hash(messages),
        }
    }
}

fn plain(message: &[u8]) -> [u8; 32] {
    ::sm3::Sm3::digest(message).into()
}

/// The digests of messages of any lengths, in their order. Messages of about one length share the work.
pub fn digests(messages: &[&[u8]]) -> Vec<[u8; 32]> {
    with(Width::of_this_processor(), messages)
}

fn with(width: Width, messages: &[&[u8]]) -> Vec<[u8; 32]> {
    let mut order: Vec<usize> = (0..messages.len()).collect();
    let blocks = |at: &usize| messages.get(*at).map_or(0, |message| lanes::blocks(message.len()));
    // Mostly they are all alike.
    if !order.is_sorted_by_key(blocks) {
        order.sort_by_key(blocks);
    }
    let mut digests = vec![[0; 32]; messages.len()];
    for alike in order.chunk_by(|one, other| blocks(one) == blocks(other)) {
        for group in alike.chunks(width.lanes()) {
            let group_messages: Vec<&[u8]> = group.iter().filter_map(|at| messages.get(*at).copied()).collect();
            let width = if group.len() < WORTH { Width::One } else { width };
            for (at, digest) in group.iter().zip(width.hash(&group_messages)) {
                if let Some(place) = digests.get_mut(*at) {
                    *place = digest;
                }
            }
        }
    }
    digests
}

#[cfg(test)]
mod tests {
    use super::*;

    fn widths() -> Vec<Width> {
        let mut widths = vec![Width::One];
        #[cfg(target_arch = "x86_64")]
        {
            if std::arch::is_x86_feature_detected!("avx2") {
                widths.push(Width::Eight);
            }
            widths.push(Width::of_this_processor());
        }
        widths
    }

    #[test]
    fn the_standards_vectors_in_every_lane() {
        // GB/T 32905-2016, A.1 and A.2.
        let abc = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0";
        let abcd = "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732";
        let hex = |digest: &[u8; 32]| digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let long = b"abcd".repeat(16);
        for width in widths() {
            let digests = with(width, &[&b"abc"[..]; 20]);
            assert!(digests.iter().all(|digest| hex(digest) == abc), "{width:?}");
            let digests = with(width, &[&long[..]; 20]);
            assert!(digests.iter().all(|digest| hex(digest) == abcd), "{width:?}");
        }
    }

    #[test]
    fn lanes_give_what_one_after_the_other_gives() {
        let bytes: Vec<u8> = (0..40_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        // Every length about a block's end, each in several lanes and out of order; then many of one length.
        let cut = |at: usize, len: usize| &bytes[at * 37..at * 37 + len];
        let mixed: Vec<&[u8]> = (0..600).map(|at| cut(at, at * 7 % 200)).collect();
        let alike: Vec<&[u8]> = (0..333).map(|at| cut(at, 80)).collect();
        for messages in [&mixed, &alike] {
            for count in [0, 1, 2, 3, 15, 16, 17, 64, messages.len()] {
                let expected: Vec<[u8; 32]> = messages[..count].iter().map(|message| plain(message)).collect();
                for width in widths() {
                    assert!(with(width, &messages[..count]) == expected, "{width:?}, {count} messages");
                }
            }
        }
    }
}
