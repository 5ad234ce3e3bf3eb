#include "http/message.h"

#include <algorithm>

#include "base/strings.h"

namespace http {

using base::Result;

namespace {

enum class Plus : bool { Literal, Space };

Result<std::string> decode(std::string_view text, Plus plus) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '+' && plus == Plus::Space) {
      out += ' ';
    } else if (c == '%') {
      const std::string_view escape = text.substr(i, 3);
      const auto byte = escape.size() == 3 ? base::from_hex(escape.substr(1)) : std::nullopt;
      if (!byte) return base::invalid("invalid URL escape " + base::quoted(escape));
      out += *byte;
      i += 2;
    } else {
      out += c;
    }
  }
  return out;
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         c == '.' || c == '~';
}

std::string encode(std::string_view text, std::string_view kept, bool plus_for_space) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (is_unreserved(c) || kept.find(c) != std::string_view::npos) {
      out += c;
    } else if (c == ' ' && plus_for_space) {
      out += '+';
    } else {
      out += {'%', kHex[byte >> 4U], kHex[byte & 15U]};
    }
  }
  return out;
}

}  // namespace

void Headers::set(std::string_view name, std::string value) {
  remove(name);
  fields_.emplace_back(std::string{name}, std::move(value));
}

void Headers::remove(std::string_view name) {
  std::erase_if(fields_, [&](const Field& field) { return base::equal_ignoring_case(field.first, name); });
}

const std::string* Headers::find(std::string_view name) const {
  for (const auto& field : fields_) {
    if (base::equal_ignoring_case(field.first, name)) return &field.second;
  }
  return nullptr;
}

std::string_view Headers::get(std::string_view name) const {
  const std::string* value = find(name);
  return value == nullptr ? std::string_view{} : *value;
}

bool Headers::has_token(std::string_view name, std::string_view token) const {
  for (const auto& field : fields_) {
    if (!base::equal_ignoring_case(field.first, name)) continue;
    for (const std::string_view part : base::split(field.second, ',')) {
      if (base::equal_ignoring_case(base::trim(part), token)) return true;
    }
  }
  return false;
}

Query Query::parse(std::string_view text) {
  Query out;
  for (const std::string_view part : base::split_words(text, '&')) {
    const auto pair = base::cut(part, "=");
    auto name = decode(pair ? pair->first : part, Plus::Space);
    auto value = decode(pair ? pair->second : "", Plus::Space);
    if (name && value) {
      out.add(*std::move(name), *std::move(value));
    } else if (out.error_.empty()) {
      out.error_ = name ? value.error().message() : name.error().message();
    }
  }
  return out;
}

const std::string* Query::find(std::string_view name) const {
  const auto at = std::ranges::find(pairs_, name, &Pair::first);
  return at == pairs_.end() ? nullptr : &at->second;
}

std::string_view Query::get(std::string_view name) const {
  const std::string* value = find(name);
  return value == nullptr ? std::string_view{} : *value;
}

std::vector<std::string> Query::all(std::string_view name) const {
  std::vector<std::string> out;
  for (const auto& [key, value] : pairs_) {
    if (key == name) out.push_back(value);
  }
  return out;
}

std::string Query::encode() const {
  std::string out;
  for (const auto& [key, value] : pairs_) {
    if (!out.empty()) out += '&';
    out += encode_query(key) + '=' + encode_query(value);
  }
  return out;
}

bool Request::wants_upgrade() const {
  return headers.has_token("Connection", "upgrade") && headers.find("Upgrade") != nullptr;
}

Result<std::string> percent_decode(std::string_view text) { return decode(text, Plus::Literal); }
std::string encode_segment(std::string_view text) { return encode(text, "", false); }
std::string encode_path(std::string_view text) { return encode(text, "/:@", false); }
std::string encode_query(std::string_view text) { return encode(text, "", true); }

std::string_view reason_of(int status) {
  switch (status) {
    case 100: return "Continue";
    case 101: return "Switching Protocols";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 413: return "Request Entity Too Large";
    case 415: return "Unsupported Media Type";
    case 416: return "Requested Range Not Satisfiable";
    case 417: return "Expectation Failed";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "";
  }
}

}  // namespace http
