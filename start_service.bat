@echo off
rem Starts Enlarger's server; a double click is enough. Options are passed on: start_service.bat --port 8001 --port 8000
chcp 65001 >nul
setlocal
cd /d "%~dp0"
if exist ".venv\Scripts\enlarger.exe" (
    ".venv\Scripts\enlarger.exe" serve %*
    goto ended
)
where enlarger >nul 2>nul
if not errorlevel 1 (
    enlarger serve %*
    goto ended
)
echo Enlarger is not installed. In this folder:  python -m venv .venv  and  .venv\Scripts\pip install .
echo 尚未安装 Enlarger。请在此文件夹中运行：  python -m venv .venv  然后  .venv\Scripts\pip install .
pause
exit /b 1

:ended
set code=%errorlevel%
if not "%code%"=="0" pause
exit /b %code%
