// Whom a context trusts.
#pragma once

#include <memory>
#include <vector>

#include "credentials.h"

namespace ringpoll::tls {

// The roots that come with the process. Contexts share one store of them: it takes a megabyte, and
// milliseconds to make.
class Roots {
 public:
  // Those in `pems`, or where OpenSSL's own files are. What cannot be read is left out.
  // Roots that another thread has made of the same bytes are shared. null: no memory.
  static std::shared_ptr<const Roots> of(const std::vector<Bytes>& pems);
  static std::shared_ptr<const Roots> ofSystem();

  // A reference of it may be taken, but nothing may be added.
  x509_store_st* store() const { return store_.get(); }
  // Adds all of them to a store of one's own.
  bool addTo(const OpenSsl& ssl, x509_store_st* store) const;
  size_t size() const { return all_.size(); }

 private:
  Roots() = default;

  OwnedStore store_;
  std::vector<OwnedCertificate> all_;
  bool ofSystem_ = false;
};

// The store of a context. null: `error` says why.
OwnedStore makeStore(const OpenSsl& ssl, const ContextOptions& options,
                     const std::vector<OwnedCertificate>& authorities, ContextError* error);

}  // namespace ringpoll::tls
