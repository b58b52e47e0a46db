// Two SHA-256 chains in turns, four rounds of one, then four of the other: the instructions' latency is twice their throughput.

#include "lib/base/sha256_lanes.h"

#include "lib/base/error.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

#define LCM_SHA_CODE __attribute__((target("sha,sse4.1")))
#define LCM_SHA_INLINE __attribute__((target("sha,sse4.1"), always_inline)) inline

namespace lcm {

namespace {

constexpr std::size_t block_bytes = 64;
constexpr int groups = 16;  // of four rounds

alignas(16) constexpr std::uint32_t round_constants[4 * groups] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
    0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
    0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

/// Words in the order of the instructions: A B E F and C D G H.
struct Registers {
    __m128i abef, cdgh;
};

LCM_SHA_INLINE Registers load(Sha256Words words) {
    const __m128i cdab = _mm_shuffle_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(&words[0])), 0xB1);
    const __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(&words[4])), 0x1B);
    return {_mm_alignr_epi8(cdab, efgh, 8), _mm_blend_epi16(efgh, cdab, 0xF0)};
}

LCM_SHA_INLINE void store(const Registers& registers, Sha256Words words) {
    const __m128i feba = _mm_shuffle_epi32(registers.abef, 0x1B);
    const __m128i dchg = _mm_shuffle_epi32(registers.cdgh, 0xB1);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(&words[0]), _mm_blend_epi16(feba, dchg, 0xF0));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(&words[4]), _mm_alignr_epi8(dchg, feba, 8));
}

/// A chain within a block: its words and the last sixteen of the message schedule.
struct Chain {
    Registers registers;
    __m128i message[4];

    LCM_SHA_INLINE void four_rounds(int group, const std::byte* block) {
        __m128i& now = message[group & 3];
        if (group < 4) {
            const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
            now = _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(block) + group), big_endian);
        } else {
            const __m128i last = message[(group + 3) & 3];
            const __m128i carried = _mm_alignr_epi8(last, message[(group + 2) & 3], 4);
            now = _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(now, message[(group + 1) & 3]), carried), last);
        }
        const __m128i sum = _mm_add_epi32(now, _mm_load_si128(reinterpret_cast<const __m128i*>(round_constants) + group));
        registers.cdgh = _mm_sha256rnds2_epu32(registers.cdgh, registers.abef, sum);
        registers.abef = _mm_sha256rnds2_epu32(registers.abef, registers.cdgh, _mm_shuffle_epi32(sum, 0x0E));
    }

    LCM_SHA_INLINE void add(const Registers& before) {
        registers.abef = _mm_add_epi32(registers.abef, before.abef);
        registers.cdgh = _mm_add_epi32(registers.cdgh, before.cdgh);
    }
};

}  // namespace

bool has_sha256_lanes() {
    static const bool found = [] {
        unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
        if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0 || (ebx & bit_SHA) == 0) return false;
        return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_SSE4_1) != 0;
    }();
    return found;
}

LCM_SHA_CODE void sha256_two_lanes(Sha256Lane first, Sha256Lane second, std::size_t blocks) {
    Chain one{load(first.words), {}}, two{load(second.words), {}};
    for (std::size_t block = 0; block < blocks; ++block) {
        const Registers one_before = one.registers, two_before = two.registers;
#pragma GCC unroll 16
        for (int group = 0; group < groups; ++group) {
            one.four_rounds(group, first.data + block * block_bytes);
            two.four_rounds(group, second.data + block * block_bytes);
        }
        one.add(one_before);
        two.add(two_before);
    }
    store(one.registers, first.words);
    store(two.registers, second.words);
}

}  // namespace lcm

#else

namespace lcm {

bool has_sha256_lanes() { return false; }

void sha256_two_lanes(Sha256Lane, Sha256Lane, std::size_t) { throw Error(ExitCode::software, "", "no SHA instructions on this CPU"); }

}  // namespace lcm

#endif
