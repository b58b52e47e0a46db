#include "lib/base/sha256.h"

#include <openssl/evp.h>

#include <new>

#include "lib/base/error.h"

namespace lcm {

namespace {

constexpr std::size_t digest_bytes = 32;

// Fetched once: OpenSSL 3 looks the algorithm up again at each start otherwise.
const EVP_MD* algorithm() {
    static EVP_MD* const fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    if (fetched == nullptr) throw Error(ExitCode::system, "", "libcrypto offers no SHA-256");
    return fetched;
}

void check(int result) {
    if (result != 1) throw Error(ExitCode::system, "", "SHA-256 failed in libcrypto");
}

}  // namespace

struct Sha256::State {
    EVP_MD_CTX* running = EVP_MD_CTX_new();
    EVP_MD_CTX* closing = EVP_MD_CTX_new();  // a copy that `hex` may finish while `running` goes on

    State() {
        if (running == nullptr || closing == nullptr) {
            release();
            throw std::bad_alloc();
        }
    }
    ~State() { release(); }
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    void release() {
        EVP_MD_CTX_free(running);
        EVP_MD_CTX_free(closing);
    }
};

Sha256::Sha256() : state_(std::make_unique<State>()) { check(EVP_DigestInit_ex(state_->running, algorithm(), nullptr)); }
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::span<const std::byte> data) { check(EVP_DigestUpdate(state_->running, data.data(), data.size())); }

std::string Sha256::hex() const {
    unsigned char digest[digest_bytes];
    check(EVP_MD_CTX_copy_ex(state_->closing, state_->running));
    check(EVP_DigestFinal_ex(state_->closing, digest, nullptr));
    std::string text;
    text.reserve(2 * digest_bytes);
    for (const unsigned char byte : digest) {
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    return text;
}

std::string sha256_hex(std::span<const std::byte> data) {
    Sha256 hash;
    hash.update(data);
    return hash.hex();
}

}  // namespace lcm
