package server

// Check reports whether New would accept the settings, so that a configuration can be
// judged before anything is opened. Errors: *ConfigError, *ExposedError.
func (c Config) Check() error {
	_, err := withDefaults(c)
	return err
}
