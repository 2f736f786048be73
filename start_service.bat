@echo off
rem Starts Enlarger's server; a double click is enough. Options are passed on: start_service.bat --port 8001 --port 8000
chcp 65001 >nul
setlocal
rem pushd, unlike cd, also takes a folder on another machine
pushd "%~dp0"
set PYTHONUTF8=1
if exist ".venv\Scripts\enlarger.exe" goto here
where enlarger >nul 2>nul
if not errorlevel 1 goto installed
echo Enlarger is not installed. With pipx:  pipx install .  or in this folder:  python -m venv .venv  and  .venv\Scripts\pip install .
echo 尚未安装 Enlarger。使用 pipx：  pipx install .  或在此文件夹中运行：  python -m venv .venv  然后  .venv\Scripts\pip install .
set code=1
goto ended

:here
".venv\Scripts\enlarger.exe" serve %*
set code=%errorlevel%
goto ended

:installed
enlarger serve %*
set code=%errorlevel%

:ended
popd
if not "%code%"=="0" pause
exit /b %code%
