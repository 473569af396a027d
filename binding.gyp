# For node-gyp in a checkout. The package has no such file: `ringpoll build --gyp` writes it.
{ "includes": ["native/ringpoll.gypi"] }
