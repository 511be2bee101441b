//! Plain loops compiled for the widest vectors that the processor has.

/// Runs `work`, whose loops the compiler turns into vector instructions of the processor at hand: AVX-512, AVX2, or what every
/// processor has. The result is the same. It pays for work that is inlined here whole: a short closure of loops over slices. One
/// of more than a loop is written `#[inline(always)] || …`: the closure is called in three places, and where the compiler makes
/// it a function of its own, that function has no vectors at all.
#[inline]
pub fn wide<T>(work: impl FnOnce() -> T) -> T {
    #[cfg(target_arch = "x86_64")]
    {
        x86::wide(work)
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        work()
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    //! The same closure in functions compiled for wide vectors; unsafe because the caller must know that the processor has them.
    #![allow(unsafe_code)]

    #[inline]
    pub(super) fn wide<T>(work: impl FnOnce() -> T) -> T {
        if std::arch::is_x86_feature_detected!("avx512f")
            && std::arch::is_x86_feature_detected!("avx512dq")
            && std::arch::is_x86_feature_detected!("avx512bw")
            && std::arch::is_x86_feature_detected!("avx512vl")
        {
            // SAFETY: the processor has the instructions that the function is compiled for.
            return unsafe { with_avx512(work) };
        }
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has the instructions that the function is compiled for.
            return unsafe { with_avx2(work) };
        }
        work()
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl")]
    fn with_avx512<T>(work: impl FnOnce() -> T) -> T {
        work()
    }

    #[target_feature(enable = "avx2")]
    fn with_avx2<T>(work: impl FnOnce() -> T) -> T {
        work()
    }
}

#[cfg(test)]
mod tests {
    use super::wide;

    #[test]
    fn work_is_done_once_and_its_result_comes_back() {
        let (mut sums, x) = ([0_u64; 100], [3; 100]);
        let first = wide(|| {
            sums.iter_mut().zip(x).for_each(|(sum, x)| *sum += x);
            sums[0]
        });
        assert_eq!((first, sums), (3, x));
    }
}
