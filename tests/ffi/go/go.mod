module wincontainer.test/smoke

go 1.19
